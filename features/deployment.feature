Feature: Deploying a release
  A release is one version of Chroma, with one configuration, in one namespace.
  An operator applies it, and it goes live whole or not at all:
  a release that cannot go live gives way to the one before it, and the operator is told why.

  @core
  Rule: A release is live once it is rolled out, its heart beats, and it keeps what it is given

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
  Rule: A release that cannot go live gives way to the one before it, with its data

    Scenario Outline: A refused release gives way to the live one: <reason>
      Given the release, live in a namespace of its own
      And a collection "field-notes" of 100 records
      When the release "<release>" is applied
      Then it is refused because <reason>
      And the release is live
      And the collection "field-notes" holds 100 records

      Examples:
        | release           | reason                       |
        | no-such-image     | its image cannot be pulled   |
        | too-little-memory | it ran out of memory         |
        | deaf-heartbeat    | it never became ready        |
        | unschedulable     | it cannot be scheduled       |
        | unbound-claim     | its claim is not bound       |
        | rejected          | it was rejected by admission |
        | failing-container | its container keeps failing  |

  @core
  Rule: What is brought back is proved as what it was, and a token that is not taken is told as that

    Scenario: The release before it is proved with its own token
      Given the release, live in a namespace of its own
      When the release "deaf-heartbeat" is applied with another token
      Then it is refused because it never became ready
      And the release before it is live again under the token it had

    @needs-gateway
    Scenario: A release that does not take its own token is refused for that
      Given the release, live in a namespace of its own
      When the release is applied with a gateway that knows nobody
      Then it is refused because the token is not the release's
      And the release before it is live again under the token it had

  @extended
  Rule: What can be known before the live release is touched does not interrupt it

    Scenario Outline: The live release does not notice that another is refused: <reason>
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
  Rule: A release that anybody may use is refused

    # Its variables look as if they asked for a token, and no version of Chroma does so for them.
    Scenario: The release of the documentation is refused, and the live one does not notice
      Given the live release
      When the release "documented" is applied
      Then it is refused because anybody may use it
      And no object in the namespace has changed

    # What asked for a token in 0.5.23 is ignored by the version that the tag has moved on to.
    Scenario: A release that turns out to be open is refused, and nothing is left of it
      Given an empty namespace
      When the release "floating-tag" is applied
      Then it is refused because anybody may use it
      And nothing of the release is left

  @core
  Rule: A first release that cannot go live leaves nothing behind

    Scenario: A refused first release is gone, and nobody has waited for a deadline
      Given an empty namespace
      When the release "no-such-image" is applied
      Then it is refused because its image cannot be pulled
      And nobody has waited for a deadline
      And nothing of the release is left

  @extended @needs-ingress
  Rule: A release waits for its host's name, which some platforms publish only after its Ingress is there

    Scenario: The host gets its name while the release waits for it
      Given an empty namespace whose host gets its name once a release waits for it
      When the release is applied
      Then the release is live
      And the operator was told that the name is waited for

    Scenario: A host that never gets a name is told as that
      Given an empty namespace whose host never gets a name
      When the release is applied
      Then it is refused because its host has no address
      And the refusal says: let DNS name the host
      And nothing of the release is left
