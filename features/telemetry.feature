@needs-kubernetes
Feature: Telemetry
  Some versions of Chroma report their use to the makers of Chroma unless they are configured not to.
  A release switches that off by the name that its version honours, and by no other.

  Background:
    Given the live release

  @core @needs-telemetry
  Rule: A release sends no reports of its use

    Scenario: Telemetry is switched off by the name that the version honours
      When the environment of Chroma's container is read
      Then telemetry is switched off in it

    # A library that is too new for the version logs an error for each report, even with telemetry off.
    @needs-writing
    Scenario: The log holds no error about a report
      Given a collection of 3 records
      When Chroma's log is read
      Then the log does not mention telemetry
