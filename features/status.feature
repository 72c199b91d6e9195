@needs-kubernetes
Feature: Status of a release
  An operator asks for the status of a release, and gets one answer, for people or for programs:
  whether it is live, what it runs on, where it answers, and what it holds.

  @core @needs-ingress
  Rule: The status of a live release shows all its parts

    Scenario: The status shows the heartbeat, the pod and the StatefulSet of a live release
      Given the live release
      When the operator asks for its status
      Then the status says that the release is live, and shows its heartbeat
      And that its pod runs, its StatefulSet is rolled out, and its claim is bound
      And where it answers, and how it is registered

    # The collection is in the scenario's own database; a version that lists none is asked for its default one alone.
    @needs-database-list @needs-writing
    Scenario: The status shows each collection with its count and its metadata
      Given the live release
      And a collection "field-notes" of 20 records about "ferns"
      When the operator asks for its status
      Then the status shows the collection "field-notes" of 20 records about "ferns"

    Scenario: People and programs get the same status
      Given the live release
      When the operator asks for its status
      Then the answer for programs holds all of it, and the one for people says that it is live
      And neither holds the token

    @needs-exec
    Scenario: The status shows what a live release runs from, what it takes, and since when
      Given the live release
      When the operator asks for its status
      Then the status shows its images, its memory, and the room on its claim
      And since when it is live, when its certificate ends, and when it was backed up

  @core @needs-ingress
  Rule: A release that refuses a token is not dead

    Scenario: An operator with another token learns that the release lives
      Given the live release
      When an operator with another token asks for its status
      Then the status says that the release is live, and that it refuses that token
      And how to get the one that it takes

  @core @needs-deploying
  Rule: The status of a release that is not live says why

    Scenario: The status of an empty namespace says that nothing is deployed
      Given an empty namespace
      When the operator asks for its status
      Then the status says that it is not live because nothing is deployed

  @extended @needs-ingress @needs-deploying
  Rule: The status of a release that has broken says so

    Scenario Outline: The status of a release that is scaled to 0 says how to scale it up: <how>
      Given the release, live in a namespace of its own
      And another operator has scaled it to 0 <how>
      When the operator asks for its status
      Then the status says that it is not live because StatefulSet chroma is scaled to 0 <by whom>
      And how to scale it up again

      Examples:
        | how                           | by whom                              |
        | by editing the object         | by "another-tool"                    |
        | through its scale subresource | by a user whose name is not recorded |
