@core @needs-writing
Feature: Keeping records in collections
  A collection has a name and holds records: an id, a vector and, optionally,
  a document and metadata. Records are read as they were written, a write changes
  only the records that it names, and an invalid write is refused and changes nothing.

  Background:
    Given the live release

  Rule: A name belongs to one collection

    Scenario: A new collection exists, and is empty
      When a collection "field-notes" is created
      Then the only collection is "field-notes"
      And the collection "field-notes" holds 0 records

    Scenario: A name that is taken is refused
      Given a collection "field-notes" of 10 records
      When a collection "field-notes" is created
      Then it is refused as taken
      And the collection "field-notes" holds 10 records

    Scenario: Get or create returns the existing collection
      Given a collection "field-notes" of 10 records
      When a collection "field-notes" is got or created with other metadata
      Then the collection and its metadata are the old ones
      And the collection "field-notes" holds 10 records

    Scenario: A renamed collection keeps its records
      Given a collection "field-notes" of 10 records
      When the collection "field-notes" is renamed to "herbarium"
      Then the only collection is "herbarium"
      And the collection "herbarium" holds 10 records

    Scenario: A deleted collection is gone
      Given a collection "field-notes" of 10 records
      When the collection "field-notes" is deleted
      Then there is no collection
      And the collection "field-notes" is unknown

    Scenario: A new collection under a deleted one's name is empty
      Given a deleted collection "field-notes" of 10 records
      When a collection "field-notes" is created
      Then the collection "field-notes" holds 0 records

    Scenario Outline: A name <flaw> is refused
      When a collection is created under a name <flaw>
      Then it is refused as invalid
      And there is no collection

      Examples:
        | flaw                       |
        | of two letters             |
        | of 513 letters             |
        | with a space               |
        | with a letter beyond ASCII |
        | that ends in a dash        |
        | with two dots in a row     |
        | that is an IP address      |

  Rule: Records are read as they were written

    Scenario: Records are read back as they were added
      When any records are added to an empty collection
      Then they are read back as they were added

    Scenario: A large batch is stored completely
      Given an empty collection
      When one call adds 100 records of 1536 dimensions
      Then they are read back, all of them

    Scenario: The count is the number of records
      Given an empty collection
      When 5 records are added one by one
      Then the count was right after each

    @needs-literal-document-filters
    Scenario: Reading through a filter
      When any records are read through any filter
      Then the matching records are read and no others

    Scenario: Collections keep their records apart
      Given a collection "field-notes" of 10 records
      And a collection "herbarium" of 20 records
      When all records of the collection "herbarium" are deleted
      Then the collection "herbarium" holds 0 records
      And the collection "field-notes" holds 10 records

  Rule: A write changes only the records that it names

    Scenario: The first addition of an id wins
      Given a collection of 10 records
      When other records are added under ids that are there
      Then the collection holds 10 records, each as it was written

    Scenario: An update changes the fields that it names and keeps the rest
      Given a collection of 10 records
      When one of its records and an unknown one are updated
      Then that record is changed, and nothing is added

    Scenario: An upsert adds new records and changes known ones
      Given a collection of 10 records
      When one of its records and an unknown one are upserted
      Then that record is changed, and the other one is added

    @needs-literal-document-filters
    Scenario: Deleted records are gone
      When any records are deleted through any filter
      Then only the other records are left

    @needs-merging-upserts
    Scenario: Writes add up
      When any writes are done one after the other
      Then the collection holds the result of all writes

  @needs-server-validation
  Rule: An invalid write is refused and changes nothing

    Scenario Outline: A write <flaw> is refused
      Given a collection of 10 records
      When a record is added to it <flaw>
      Then it is refused as <reason>
      And the collection holds 10 records, each as it was written

      Examples:
        | flaw                                 | reason    |
        | with a vector of another dimension   | invalid   |
        | with NaN in its vector               | invalid   |
        | with a component beyond float32      | invalid   |
        | without a vector                     | malformed |
        | with more ids than vectors           | invalid   |
        | with an empty id                     | invalid   |
        | with nested metadata                 | malformed |
        | with a list of a string and a number | malformed |
        | with a key that Chroma reserves      | invalid   |
