Feature: Monitoring
  An operator asks how a release is, and is told in one answer, for people or for programs:
  whether it is live, what it runs on, where it answers, and what it holds.

  @core @needs-ingress
  Rule: The status of a live release tells all that belongs to it

    Scenario: A live release is told with its heartbeat, its pod and its StatefulSet
      Given the live release
      When its status is asked for
      Then the status says that the release is live, and its heart beats
      And that its pod runs, its StatefulSet is rolled out, and its claim is bound
      And where it answers, and in which form it is announced

    # The collection is in the scenario's own database; a version that lists none is asked for its default one alone.
    @needs-database-list
    Scenario: Each collection is told with its count and its metadata
      Given the live release
      And a collection "field-notes" of 20 records about "ferns"
      When its status is asked for
      Then the status tells the collection "field-notes" of 20 records about "ferns"

    Scenario: People and programs are told the same
      Given the live release
      When its status is asked for
      Then the answer for programs holds all of it, and the one for people says that it is live
      And neither holds the token

  @core
  Rule: The status of what is not live says so, and why

    Scenario: Where nothing is deployed, that is said
      Given an empty namespace
      When its status is asked for
      Then the status says that it is not live because nothing is deployed

  @extended @needs-ingress
  Rule: What was live and is no more is told as what it is now

    Scenario Outline: A release that somebody has switched off is told with how it comes back: <how>
      Given the release, live in a namespace of its own
      And somebody has switched it off <how>
      When its status is asked for
      Then the status says that it is not live because StatefulSet chroma is scaled to 0 <by whom>
      And how it is switched on again

      Examples:
        | how                    | by whom                                |
        | by changing the object | by "somebody-elses-tool"               |
        | by its scale           | by somebody whose name is not recorded |
