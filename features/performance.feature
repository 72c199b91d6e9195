@needs-ingress
Feature: Performance of a release
  The documentation advises to write and to ask in batches, and to give Chroma the memory that its vectors take.
  What can be held against any machine is: one way against another in the same run. The rest is
  measured and told in the report; a slow machine is no broken release.

  @extended
  Rule: What is done in one call is done faster than one by one

    Scenario Outline: A batch of <work> beats as many single ones
      Given the live release
      And a collection of 20 records
      When 20 <work> are made one by one, and again in one batch
      Then the batch was at least twice as fast
      And the report tells how many times

      Examples:
        | work      |
        | additions |
        | questions |

  @extended @needs-exec
  Rule: A record takes the memory of its vector, and not many times that

    # On its own: what others had Chroma allocate and give back, it would use again.
    Scenario: The memory of a record is measured
      Given the release, live in a namespace of its own
      And an empty collection
      When 4000 records of 384 dimensions are added and asked for
      Then each takes the memory of its vector, and not many times that
      And the report tells how much

  @extended
  Rule: How long an answer takes is told, and no failure

    Scenario: The pace of answers is measured
      Given the live release
      And a collection of 1000 records
      When it is asked 50 questions one after the other
      Then the report tells how long the answers took
      And the collection holds 1000 records, each as it was written
