Feature: Keeping data through a change of the release
  A release takes over the data of the one before it, often under another version of Chroma.
  It is live only if what was there is listed, counted and answers questions.
  What cannot be undone is told before anything is touched.

  @core @needs-ingress
  Rule: A release is live only with the data that was there

    Scenario: A change of the release keeps what it holds
      Given the release, live in a new namespace with a collection of its users
      When the release is applied with more memory
      Then the release is live
      And the collection of its users answers as before

    @needs-gateway
    Scenario: A release that comes up without the data gives way
      Given the release, live in a new namespace with a collection of its users
      When the release is applied with its claim where Chroma does not write
      Then it is refused because its data is gone
      And the collection of its users answers as before

    @needs-gateway
    Scenario Outline: A release that does not mount the claim of the data is refused, and the live release does not notice: <mistake>
      Given the release, live in a new namespace with a collection of its users
      When the release is applied with <mistake>
      Then it is refused because its data is gone
      And no object in the namespace has changed
      And the collection of its users answers as before

      Examples:
        | mistake                        |
        | its data in a scratch volume   |
        | its data on another claim      |

    Scenario: What was lost with its claim is told, and no empty claim takes its place
      Given the release, live in a new namespace with a collection of its users
      And its claim has been deleted, with all that was on it
      When the release is applied
      Then it is refused because its data is gone
      And the refusal says: restore a backup
      And no claim has taken the place of the one that is gone

    Scenario: The status of a release without its claim says that its data is gone
      Given the release, live in a new namespace with a collection of its users
      And its claim has been deleted, with all that was on it
      When its status is asked for
      Then the status says that it is not live because its data is gone

    Scenario: What its users have deleted is not missed
      Given the release, live in a new namespace with a collection of its users
      And its users have deleted that collection since
      When the release is applied with more memory
      Then the release is live

  @extended @needs-ingress @needs-later-version @needs-other-releases
  Rule: The version that wrote the data is remembered, and going back below it wants an explicit word

    Scenario: A plan tells that an upgrade cannot be undone
      Given the release, live in a new namespace with a collection of its users
      When the release "gateway" is planned
      Then the plan says that this cannot be undone, and that no backup is known

    Scenario: A plan tells which backup there is
      Given the release, live in a new namespace with a collection of its users
      And a backup was made of it
      When the release "gateway" is planned
      Then the plan says when the data was backed up

    Scenario: Going back below the version that wrote the data is refused, and the live release does not notice
      Given the release, live in a new namespace with a collection of its users
      And the release "gateway" has taken over from it
      When the release is applied
      Then it is refused because its version is below the one that wrote the data
      And no object in the namespace has changed
      And the collection of its users answers as before

    Scenario: Going back is not forgotten when the later release was rolled back
      Given the release, live in a new namespace with a collection of its users
      And the release "gateway" has taken over from it
      And the release has been rolled back
      When the release is applied
      Then it is refused because its version is below the one that wrote the data

    Scenario: Going back on an explicit word is tried, and gives way where the data does not answer
      Given the release, live in a new namespace with a collection of its users
      And the release "gateway" has taken over from it
      When the release is applied, and going back is accepted
      Then it is refused because its data does not answer
      And the collection of its users answers as before

    # The upgrade that was refused had changed the database nevertheless: Chroma 1.5.9 cannot read what 0.5.23 writes then.
    Scenario: An upgrade onto data that it cannot read gives way, with the server's own words
      Given the release, live in a new namespace with a collection of its users
      And the release "gateway" was refused there, after which its users have written on
      When the release "gateway" is applied
      Then it is refused because its data does not answer
      And the refusal says: mismatched types
      And the collection of its users answers as before
