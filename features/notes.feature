@needs-ingress @needs-kubernetes
Feature: Notes on using a release
  After a deployment the operator reads in its notes where the release answers, how to
  authenticate, and examples to run. They name the place of the token, and never show the token.

  Background:
    Given the live release

  @core
  Rule: The notes of a release are true

    Scenario: The release answers at the addresses in its notes
      When its notes are printed
      Then the release answers at each address in them
      And exactly the interfaces in the notes answer

    Scenario: The notes name the Secret of the token
      When its notes are printed
      Then the Secret that they name holds the token
      And they do not show the token

  @core @needs-deploying
  Rule: The examples in the notes work unchanged

    Scenario Outline: The example in <language> runs as shown
      When the example in <language> is run as shown
      Then its output is the one shown beside it
      And it leaves nothing behind

      Examples:
        | language |
        | bash     |
        | Python   |
