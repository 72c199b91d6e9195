@core @needs-deploying @needs-kubernetes
Feature: Rolling a release back
  A roll back brings the cluster to its earlier state, except for the data:
  the claim stays until the operator asks for its removal as well.
  Neither touches foreign objects: those that are not of this suite.

  Rule: The data outlives the release

    Scenario: A release that is deployed again finds its data
      Given the release, live in a namespace of its own
      And a collection "field-notes" of 100 records
      And the release has been rolled back
      When the release is applied
      Then the release is live
      And the collection "field-notes" holds 100 records

    Scenario: Everything of the release is gone except its claim
      Given the release, live in a namespace of its own
      And foreign objects beside it
      When the release is rolled back
      Then nothing of the release is left but its claim
      And the foreign objects are untouched

    Scenario: Rolling back twice is harmless
      Given the release, rolled back in a namespace of its own
      When the release is rolled back
      Then nothing of the release is left but its claim

  Rule: An interrupted deployment can be rolled back, however far it came

    Scenario: Everything that a deployment had created is gone, except its claim
      Given for each object, a deployment interrupted just after creating it
      When each of them is rolled back
      Then only the claim is left of each, if it had been created

    Scenario: An interrupted deployment is rolled back to its data
      Given the release, rolled back in a namespace of its own
      And its deployment was interrupted by the operator
      When the release is rolled back
      Then nothing of the release is left but its claim

    Scenario: A deployment that is rolled back halfway ends at once
      Given the release, rolled back in a namespace of its own
      When it is applied, and another operator rolls it back before it is live
      Then it is refused because it was taken away meanwhile
      And it is refused before its time-out
      And nothing of the release is left but its claim

  Rule: A roll back names each object that it cannot remove

    Scenario: An object that stays is named
      Given the release, rolled back in a namespace of its own
      And an object of it that cannot be removed
      When the operator tries to roll the release back
      Then the error names the object that is left

  Rule: A roll back with the data leaves nothing

    Scenario: The data goes with its namespace
      Given the release, live in a namespace of its own
      When the release is rolled back with its data
      Then nothing of the release is left

    Scenario: A namespace with foreign objects stays
      Given the release, rolled back in a namespace of its own
      And foreign objects beside it
      When the release is rolled back with its data
      Then nothing of the release is left but its namespace
      And the foreign objects are untouched
      And the roll back names the objects that keep the namespace

    @needs-disposable
    Scenario: A retained volume is named, with the command that removes it
      Given the release, live in a namespace of its own
      And its storage class retains its volume
      When the release is rolled back with its data
      Then nothing of the release is left
      And the roll back names the volume that still holds its data
