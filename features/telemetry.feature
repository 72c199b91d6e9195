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
