@needs-deploying @needs-kubernetes
Feature: Keeping data when the release changes
  A release takes over the data of the previous one, often under another version of Chroma.
  It is live only if it lists and counts the old collections, and they answer queries.
  A plan names each step that cannot be undone, before anything changes.

  @core @needs-ingress
  Rule: A release is live only if it serves the data of the previous one

    Scenario: A change of the release keeps its data
      Given the release, live in a new namespace with a collection of its users
      When the release is applied with more memory
      Then the release is live
      And the collection of its users answers as before

    @needs-gateway
    Scenario: A release that comes up without the data is replaced by the previous one
      Given the release, live in a new namespace with a collection of its users
      When the release is applied with its claim mounted where Chroma does not write
      Then it is refused because its data is gone
      And the collection of its users answers as before

    @needs-gateway
    Scenario Outline: A release that does not mount the claim of the data is refused before the rollout: <mistake>
      Given the release, live in a new namespace with a collection of its users
      When the release is applied with <mistake>
      Then it is refused because its data is gone
      And no object in the namespace has changed
      And the collection of its users answers as before

      Examples:
        | mistake                      |
        | its data in a scratch volume |
        | its data on another claim    |

    Scenario: A lost claim is reported, and no empty one takes its place
      Given the release, live in a new namespace with a collection of its users
      And its claim has been deleted with all its data
      When the release is applied
      Then it is refused because its data is gone
      And the refusal says: restore a backup
      And no new claim has been created

    Scenario: The status of a release without its claim says that its data is gone
      Given the release, live in a new namespace with a collection of its users
      And its claim has been deleted with all its data
      When the operator asks for its status
      Then the status says that it is not live because its data is gone

    Scenario: A collection that its users have deleted is not missed
      Given the release, live in a new namespace with a collection of its users
      And its users have deleted that collection since
      When the release is applied with more memory
      Then the release is live

  @extended @needs-ingress @needs-later-version @needs-other-releases
  Rule: A downgrade below the version that wrote the data needs an explicit permission

    Scenario: A plan warns that an upgrade cannot be undone
      Given the release, live in a new namespace with a collection of its users
      When the release "gateway" is planned
      Then the plan says that this cannot be undone, and that no backup is known

    Scenario: A plan names the last backup
      Given the release, live in a new namespace with a collection of its users
      And a backup of it has been made
      When the release "gateway" is planned
      Then the plan says when the data was backed up

    Scenario: A downgrade is refused, and the live release is left alone
      Given the release, live in a new namespace with a collection of its users
      And the release "gateway" has taken over from it
      When the release is applied
      Then it is refused because its version is below the one that wrote the data
      And no object in the namespace has changed
      And the collection of its users answers as before

    Scenario: A downgrade is refused even after the later release was rolled back
      Given the release, live in a new namespace with a collection of its users
      And the release "gateway" has taken over from it
      And the release has been rolled back
      When the release is applied
      Then it is refused because its version is below the one that wrote the data

    Scenario: The previous release comes back if the data does not answer after an accepted downgrade
      Given the release, live in a new namespace with a collection of its users
      And the release "gateway" has taken over from it
      When the release is applied with the downgrade accepted
      Then it is refused because its data does not answer
      And the collection of its users answers as before

    # The refused upgrade had already changed the database: Chroma 1.5.9 cannot read what 0.5.23 writes after that.
    Scenario: The refusal of an upgrade onto unreadable data quotes the server
      Given the release, live in a new namespace with a collection of its users
      And the release "gateway" has been refused, and its users have written more since
      When the release "gateway" is applied
      Then it is refused because its data does not answer
      And the refusal says: mismatched types
      And the collection of its users answers as before
