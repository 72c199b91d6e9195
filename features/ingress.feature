@needs-ingress
Feature: Going through the ingress
  Users come through the ingress, which stands between them and the release:
  it has to let through what the release would take, and to wait as long as the release may need.

  Background:
    Given the live release

  @core
  Rule: A body passes up to the documented size, and beyond it the caller is told so

    # Most of such a body are blanks, which have to be carried like anything else and cost Chroma no memory.
    Scenario: A body of 39 MiB passes
      Given an empty collection
      When records are added to it in a body of 39 MiB
      Then the body has arrived to its end

    # Chroma takes 40 MiB, the documented ingress 100; Chroma before version 1 knows no limit of its own.
    @needs-gateway
    Scenario: A body of 41 MiB is too large for the release
      Given an empty collection
      When records are added to it in a body of 41 MiB
      Then the release refuses it as too large
      And the collection holds 0 records, each as it was written

    Scenario: A body of 101 MiB is too large for the ingress
      Given an empty collection
      When records are added to it in a body of 101 MiB
      Then the ingress refuses it as too large

  @core
  Rule: The ingress waits for a slow answer, and no longer than it is told to

    # Nobody waits for the documented ten minutes: a copy that is told to wait a second shows that the limit is heeded.
    Scenario: A slow answer is waited for
      Given a slow server behind two copies of the ingress, one of which waits a second
      When it is asked through both for an answer that takes 2 seconds
      Then the copy that waits a second has given up
      And the copy that waits as long as the ingress does has the answer
