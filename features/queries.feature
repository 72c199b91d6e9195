Feature: Querying a collection
  A query takes a vector and answers with the records that lie closest to it.
  Each scenario states one law. Where a step says "any", Hypothesis picks the
  values, tries many of them, and reports the smallest that breaks the law.

  Background:
    Given the live release

  @core
  Rule: An answer runs from the nearest record to the farthest

    Scenario Outline: Answers are in order of <metric> distance
      Given an empty collection measured by <metric>
      When it holds any records and is asked for any vector
      Then no record in the answer is nearer than the one before it

      Examples:
        | metric |
        | cosine |
        | ip     |
        | l2     |

  @core
  Rule: A distance says how far from the question a record is

    # l2 is squared, ip is 1 - dot, cosine is 1 - cos.
    Scenario Outline: Distances are exact in <metric>
      Given an empty collection measured by <metric>
      When it holds any records and is asked for any vector
      Then each distance in the answer is the exact one, but for rounding

      Examples:
        | metric |
        | cosine |
        | ip     |
        | l2     |

  @core
  Rule: A record is found by its own vector

    # Not so by ip, which finds a longer vector nearer.
    Scenario Outline: Nothing is nearer to a record's own vector in <metric>
      Given an empty collection measured by <metric>
      When it holds any records and is asked for the vector of each
      Then each record is found, or one that is as near

      Examples:
        | metric |
        | cosine |
        | l2     |

  @core
  Rule: An answer has as many records as asked for, or all that there are

    Scenario: An answer holds as many records as were asked for
      Given an empty collection measured by l2
      When it holds any records and is asked for any number of them
      Then the answer has so many of the nearest records, or all that there are

    Scenario: Asking for no record is answered with none
      Given a collection of 10 records
      When it is asked for 0 records
      Then the answer has no record

  @core
  Rule: An answer shows records as they were written

    Scenario: Answers show ids, vectors, documents and metadata
      Given an empty collection measured by l2
      When it holds any records and is asked for any vector
      Then the answer shows each record as it was written

  @core
  Rule: A filter hides exactly the records that do not match

    Scenario: Filtering on metadata
      Given an empty collection measured by l2
      When it holds any records and is asked through any filter on metadata
      Then the answer has the matching records and no others

    @needs-literal-document-filters
    Scenario: Filtering on documents
      Given an empty collection measured by l2
      When it holds any records and is asked through any filter on documents
      Then the answer has the matching records and no others

    @needs-literal-document-filters
    Scenario: Filtering on metadata and documents at once
      Given an empty collection measured by l2
      When it holds any records and is asked through any filter on both
      Then the answer has the matching records and no others

  @extended @needs-thorough-index
  Rule: The approximate index finds nearly all of the nearest records

    Scenario Outline: The approximate index finds what is near in <metric>
      Given a collection of 2000 records measured by <metric>
      When it is asked for the 10 records nearest to each of 50 vectors
      Then 95 of 100 that are truly the nearest are found

      Examples:
        | metric |
        | cosine |
        | ip     |
        | l2     |

  @core @needs-server-validation
  Rule: A question that makes no sense is refused

    Scenario Outline: A question <nonsense> is refused
      Given a collection of 10 records
      When it is asked <nonsense>
      Then it is refused as <reason>

      Examples:
        | nonsense                                  | reason    |
        | with a vector of another dimension        | invalid   |
        | with a vector that has a hole             | malformed |
        | with a vector that is not a number        | invalid   |
        | without a vector                          | malformed |
        | for fewer than no records                 | malformed |
        | for half a record                         | malformed |
        | for a column that there is not            | malformed |
        | through an empty filter                   | invalid   |
        | through two conditions that nothing joins | invalid   |
        | through an unknown operator               | invalid   |
        | through a choice of nothing               | invalid   |
        | through a choice of a word and a number   | invalid   |
        | through an order of words                 | invalid   |
        | through a broken pattern                  | invalid   |
