@needs-ingress
Feature: Showing how a release is used
  Whoever has deployed a release is shown where it answers, how to authenticate, and examples
  to paste. The token itself is never shown, only where it lies.

  Background:
    Given the live release

  @core
  Rule: What is shown of a release is true

    Scenario: The release answers where it is shown to
      When its usage is shown
      Then the release answers at each address that is shown
      And the interfaces that are shown answer, and no others

    Scenario: The token lies where it is shown to
      When its usage is shown
      Then the Secret that is shown holds the token
      And the token itself is not shown

  @core
  Rule: The examples that are shown work as they stand

    Scenario Outline: The example in <language> is pasted
      When the example in <language> is pasted as it is shown
      Then it prints what it shows
      And nothing of it is left

      Examples:
        | language |
        | bash     |
        | Python   |
