@needs-ingress @needs-kubernetes
Feature: Going through the ingress
  Users reach a release through the ingress: it has to pass every body that the release
  accepts, and to wait as long as the release may need.

  Background:
    Given the live release

  @core @needs-writing
  Rule: Bodies up to the documented size pass, and larger ones are refused as too large

    # Most of such a body is blanks: they travel like anything else and cost Chroma no memory.
    Scenario: A body of 39 MiB passes
      Given an empty collection
      When records are added to it in a body of 39 MiB
      Then Chroma has received the whole body

    # Chroma takes 40 MiB, the documented ingress 100; Chroma before version 1 has no limit of its own.
    @needs-gateway
    Scenario: A body of 41 MiB is too large for the release
      Given an empty collection
      When records are added to it in a body of 41 MiB
      Then the release refuses it as too large
      And the collection holds 0 records, each as it was written

    # The Gateway API has no such limit: there the release's own is the only one.
    @needs-ingress-object
    Scenario: A body of 101 MiB is too large for the ingress
      Given an empty collection
      When records are added to it in a body of 101 MiB
      Then the ingress refuses it as too large

  @core @needs-deploying
  Rule: The ingress waits for a slow answer up to its read time-out

    @needs-route
    Scenario: A slow answer arrives through the route
      Given a slow server behind a copy of the route
      When a caller requests through the copy an answer that takes 2 seconds
      Then the caller has the answer

    # Not the documented ten minutes, but a copy with a read time-out of 1 s shows that the ingress honours the limit.
    @needs-ingress-object
    Scenario: A slow answer arrives
      Given a slow server behind two copies of the Ingress, one with a read time-out of 1 s
      When a caller requests through both an answer that takes 2 seconds
      Then the copy with the short time-out has given up
      And the copy with the time-out of the Ingress has the answer
