@needs-ingress
Feature: Performance of a release
  The documentation advises to write and to query in batches, and to give Chroma the memory that its
  vectors take. A run must not fill the claim either. Only comparisons within one run hold on every machine. The report shows the rest:
  a slow machine is no broken release.

  @extended @needs-writing
  Rule: One batch is faster than many single calls

    Scenario Outline: A batch of <work> beats as many single ones
      Given the live release
      And a collection of 20 records
      When 20 <work> are made one by one, and again in one batch
      Then the batch was at least twice as fast
      And the report says how many times

      Examples:
        | work      |
        | additions |
        | queries   |

  @extended @needs-exec @needs-deploying @needs-kubernetes
  Rule: A record takes at most 12 times the memory of its vector

    # In a namespace of its own: Chroma reuses memory that other scenarios had it allocate and free.
    Scenario: The memory of a record is measured
      Given the release, live in a namespace of its own
      And an empty collection
      When 4000 records of 384 dimensions are added and queried
      Then each takes at most 12 times the memory of its vector
      And the report says how much

  @extended @needs-exec @needs-id-reuse @needs-deploying @needs-kubernetes
  Rule: Scenarios share collections, since Chroma keeps the index of each deleted one on the claim

    # In a namespace of its own: other scenarios would be counted as well.
    Scenario: What scenarios leave on the claim is measured
      Given the release, live in a namespace of its own
      When 10 scenarios each use a collection and prove the release live
      Then they leave at most one index directory on the claim
      And the report says how many are left

  @extended @needs-writing
  Rule: The report says how long answers take, and slow answers are no failure

    Scenario: The latency of queries is measured
      Given the live release
      And a new collection of 1000 records
      When 50 queries are sent to it one after the other
      Then the report says how long the answers took
      And the collection holds 1000 records, each as it was written
