@core
Feature: Rolling a release back
  An operator who rolls a release back has the cluster as it was before, but for the data:
  it stays on its claim until its removal is asked for as well.
  What is somebody else's is not touched by either.

  Rule: The data outlives the release

    Scenario: A release that is deployed again finds its data
      Given the release, live in a namespace of its own
      And a collection "field-notes" of 100 records
      And the release has been rolled back
      When the release is applied
      Then the release is live
      And the collection "field-notes" holds 100 records

    Scenario: Everything of the release is gone but its claim
      Given the release, live in a namespace of its own
      And things of somebody else beside it
      When the release is rolled back
      Then nothing of the release is left but its claim
      And what is somebody else's is untouched

    Scenario: Rolling back twice is harmless
      Given the release, rolled back in a namespace of its own
      When the release is rolled back
      Then nothing of the release is left but its claim

  Rule: A deployment that broke off can be rolled back, however far it came

    Scenario: Whatever a deployment had made is gone, but for its claim
      Given deployments that broke off after each of their objects
      When each of them is rolled back
      Then nothing is left of each but its claim, where it had come that far

    Scenario: An interrupted deployment is rolled back to its data
      Given the release, rolled back in a namespace of its own
      And its deployment was interrupted by the operator
      When the release is rolled back
      Then nothing of the release is left but its claim

    Scenario: A deployment that is rolled back under way gives up at once
      Given the release, rolled back in a namespace of its own
      When it is applied, and rolled back by somebody else before it is live
      Then it is refused because it was taken away meanwhile
      And nobody has waited for a deadline
      And nothing of the release is left but its claim

  Rule: What cannot be removed is named, and never passed over

    Scenario: An object that stays is named
      Given the release, rolled back in a namespace of its own
      And an object of it that cannot be removed
      When the operator tries to roll the release back
      Then the operator is told what is left

  Rule: When the data's removal is asked for, nothing is left

    Scenario: The data goes with its namespace
      Given the release, live in a namespace of its own
      When the release is rolled back with its data
      Then nothing of the release is left

    Scenario: A namespace in which somebody else has things is left to them
      Given the release, rolled back in a namespace of its own
      And things of somebody else beside it
      When the release is rolled back with its data
      Then nothing of the release is left but its namespace
      And what is somebody else's is untouched
      And the operator is told what keeps the namespace

    @needs-disposable
    Scenario: A volume that its class keeps is named with how it is removed
      Given the release, live in a namespace of its own
      And its class keeps its volume
      When the release is rolled back with its data
      Then nothing of the release is left
      And the operator is told which volume still holds its data
