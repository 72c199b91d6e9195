@needs-writing
Feature: Querying a collection
  A query takes a vector and returns the nearest records.
  Each scenario states one law. Where a step says "any", Hypothesis picks the
  values, tries many of them, and reports the smallest that breaks the law.

  Background:
    Given the live release

  @core
  Rule: An answer runs from the nearest record to the farthest

    Scenario Outline: Answers are in order of <metric> distance
      Given an empty collection measured by <metric>
      When it holds any records and is queried with any vector
      Then no record in the answer is nearer than its predecessor

      Examples:
        | metric |
        | cosine |
        | ip     |
        | l2     |

  @core
  Rule: A distance says how far from the query's vector a record is

    # l2 is squared, ip is 1 - dot, cosine is 1 - cos.
    Scenario Outline: Distances are exact in <metric>
      Given an empty collection measured by <metric>
      When it holds any records and is queried with any vector
      Then each distance in the answer is exact, except for rounding

      Examples:
        | metric |
        | cosine |
        | ip     |
        | l2     |

  @core
  Rule: A record is found by its own vector

    # Not in ip, where a longer vector is nearer.
    Scenario Outline: Nothing is nearer to a record's own vector in <metric>
      Given an empty collection measured by <metric>
      When it holds any records and is queried with the vector of each
      Then each record is found, or one as near

      Examples:
        | metric |
        | cosine |
        | l2     |

  @core
  Rule: An answer has as many records as the query requests, or all

    Scenario: An answer holds as many records as the query requests
      Given an empty collection measured by l2
      When it holds any records and is queried for any number of them
      Then the answer holds min(n, count) records, the nearest

    # A new one: of a collection that has lost a fifth of its records or more, Chroma 1.5.9 panics over such a query.
    Scenario: A query for 0 records returns none
      Given a new collection of 10 records
      When it is queried for 0 records
      Then the answer is empty

  @core
  Rule: An answer shows records as they were written

    Scenario: Answers show ids, vectors, documents and metadata
      Given an empty collection measured by l2
      When it holds any records and is queried with any vector
      Then the answer shows each record as it was written

  @core
  Rule: A filter hides exactly the records that do not match

    Scenario: Filtering on metadata
      Given an empty collection measured by l2
      When it holds any records and is queried with any filter on metadata
      Then the answer has the matching records and no others

    @needs-literal-document-filters
    Scenario: Filtering on documents
      Given an empty collection measured by l2
      When it holds any records and is queried with any filter on documents
      Then the answer has the matching records and no others

    @needs-literal-document-filters
    Scenario: Filtering on metadata and documents at once
      Given an empty collection measured by l2
      When it holds any records and is queried with any filter on both
      Then the answer has the matching records and no others

  @extended @needs-thorough-index
  Rule: The approximate index finds nearly all of the nearest records

    Scenario Outline: The approximate index finds near records in <metric>
      Given a collection of 2000 records measured by <metric>
      When it is queried for the 10 nearest records of each of 50 vectors
      Then recall@10 is at least 95 %

      Examples:
        | metric |
        | cosine |
        | ip     |
        | l2     |

  @core @needs-server-validation
  Rule: An invalid query is refused

    Scenario Outline: A query <flaw> is refused
      Given a collection of 10 records
      When it is queried <flaw>
      Then it is refused as <reason>

      Examples:
        | flaw                                    | reason    |
        | with a vector of another dimension      | invalid   |
        | with null in its vector                 | malformed |
        | with NaN in its vector                  | invalid   |
        | without a vector                        | malformed |
        | for a negative number of records        | malformed |
        | for 0.5 records                         | malformed |
        | for an unknown include field            | malformed |
        | with an empty filter                    | invalid   |
        | with two conditions without $and or $or | invalid   |
        | with an unknown operator                | invalid   |
        | with an empty $in                       | invalid   |
        | with $in of a string and a number       | invalid   |
        | with $gt on a string                    | invalid   |
        | with an invalid $regex                  | invalid   |
