@needs-writing
Feature: Isolation
  What is stored in one collection is seen in no other, also after it is gone. Chroma numbers the
  rows of its records anew when the last ones go; what is left of a deleted record then belongs to
  whoever gets its number, in whichever database and tenant that is.

  Background:
    Given the live release

  @core @needs-integrity
  Rule: What deleted records had turns up nowhere else

    Scenario: Lists in the metadata of a deleted collection are gone with it
      Given a collection of 20 records with lists in their metadata
      When it is deleted, and 20 records without metadata are added to a collection of another database
      Then the new records have no metadata
      And no filter on such a list finds one of them
