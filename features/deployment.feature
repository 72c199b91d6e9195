@needs-deploying @needs-kubernetes
Feature: Deploying a release
  A release is one version of Chroma, with one configuration, in one namespace.
  An operator applies it, and it goes live whole or not at all:
  a release that cannot go live is replaced by the previous one, and the refusal says why.

  @core
  Rule: A release is live once it is rolled out, its heartbeat advances, and it acknowledges a write

    Scenario: The first release goes live
      Given an empty namespace
      When the release is applied
      Then the release is live

    Scenario: Applying a live release again changes nothing
      Given the live release
      When the release is applied
      Then the release is live
      And no object in the namespace has changed

  @core
  Rule: A release that cannot go live is replaced by the previous one, with its data

    Scenario Outline: The live release replaces a refused one: <reason>
      Given the release, live in a namespace of its own
      And a collection "field-notes" of 100 records
      When the release "<release>" is applied
      Then it is refused because <reason>
      And the release is live
      And the collection "field-notes" holds 100 records

      Examples:
        | release                 | reason                       |
        | no-such-image           | its image cannot be pulled   |
        | too-little-memory       | it ran out of memory         |
        | failing-readiness-probe | it never became ready        |
        | unschedulable           | it cannot be scheduled       |
        | unbound-claim           | its claim is not bound       |
        | rejected                | it was rejected by admission |
        | failing-container       | its container keeps failing  |

  @core
  Rule: The previous release comes back with its own token, and a refusal names a token that is not accepted

    Scenario: The previous release is checked with its own token
      Given the release, live in a namespace of its own
      When the release "failing-readiness-probe" is applied with another token
      Then it is refused because it never became ready
      And the previous release is live again with its old token

    @needs-gateway
    Scenario: A release that does not accept its own token is refused
      Given the release, live in a namespace of its own
      When the release is applied with a gateway that knows no token
      Then it is refused because the token is not the release's
      And the previous release is live again with its old token

  @extended
  Rule: Errors found before the rollout cause no downtime

    Scenario Outline: A refusal before the rollout leaves the live release alone: <reason>
      Given the live release
      When the release "<release>" is applied
      Then it is refused because <reason>
      And no object in the namespace has changed

      Examples:
        | release       | reason                       |
        | no-such-image | its image cannot be pulled   |
        | unbound-claim | its claim is not bound       |
        | rejected      | it was rejected by admission |

  @core
  Rule: A release that serves anonymous callers is refused

    # Its variables seem to require a token, but no version of Chroma honours them.
    Scenario: The documented release is refused, and the live one is left alone
      Given the live release
      When the release "documented" is applied
      Then it is refused because anybody may use it
      And no object in the namespace has changed

    # The tag has moved on to a version that ignores the variables of 0.5.23.
    Scenario: A release that proves to be open is refused and removed
      Given an empty namespace
      When the release "floating-tag" is applied
      Then it is refused because anybody may use it
      And nothing of the release is left

  @core
  Rule: A first release that cannot go live leaves nothing behind

    Scenario: A refused first release is removed before its time-out
      Given an empty namespace
      When the release "no-such-image" is applied
      Then it is refused because its image cannot be pulled
      And it is refused before its time-out
      And nothing of the release is left

  @core
  Rule: A host name leads to one release

    Scenario: A release whose host leads to another namespace is refused
      Given an empty namespace
      And another namespace that exposes its host
      When the release is applied
      Then it is refused because its host leads to another namespace
      And nothing of the release is left

  @extended @needs-ingress
  Rule: A release waits for the DNS name of its host, which some platforms publish only after its Ingress exists

    Scenario: The host gets its name while the release waits for it
      Given an empty namespace whose host gets its name once a release waits for it
      When the release is applied
      Then the release is live
      And the progress says that the release waits for the name

    Scenario: A refusal names a host that never gets a name
      Given an empty namespace whose host never gets a name
      When the release is applied
      Then it is refused because its host has no address
      And the refusal says: let DNS name the host
      And nothing of the release is left
