Feature: Telemetry
  Some versions of Chroma tell their makers of their use unless they are asked not to.
  A release asks for that by the name that its version honours, and no other.

  Background:
    Given the live release

  @core @needs-telemetry
  Rule: A release tells nobody of its use

    Scenario: Telemetry is switched off by the name that the version honours
      When the environment of Chroma's container is read
      Then telemetry is switched off in it

    # A library that is too new for the version makes an error of each report, also where none is to be sent.
    Scenario: No act leaves an error about a report in the log
      Given a collection of 3 records
      When Chroma's log is read
      Then the log says nothing of telemetry
