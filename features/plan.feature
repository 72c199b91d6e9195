Feature: Planning a release
  Before an operator applies a release, a plan tells what that would do to each object and field.
  It asks the cluster, and changes nothing there.
  What the cluster would refuse is told with what to do about it.

  @core
  Rule: A plan says what an apply would do, and does none of it

    Scenario: A plan of the live release leaves everything
      Given the live release
      When the release is planned
      Then the plan leaves every object as it is
      And planning has changed nothing

    Scenario: A plan before the first release creates everything
      Given an empty namespace
      When the release is planned
      Then the plan creates every object
      And planning has changed nothing

    Scenario Outline: A plan names what differs, and nothing else: <change>
      Given the live release
      When the release is planned with <change>
      Then the plan names <change>, and nothing else
      And planning has changed nothing

      Examples:
        | change                     |
        | more memory                |
        | a smaller limit of uploads |
        | another token              |
        | one Service more           |
        | one Service less           |

    Scenario: An apply does what its plan has named
      Given the release, live in a namespace of its own
      When the release is planned with a smaller limit of uploads, and applied so
      Then the apply has changed what the plan had named, and nothing else

  @core
  Rule: A plan shows that a secret changes, and never the secret

    Scenario: A plan of another token does not show it
      Given the live release
      When the release is planned with another token
      Then the plan shows no secret

  @extended
  Rule: What cannot be changed is told with what to do about it, and nothing is deleted for it

    Scenario Outline: A plan tells what cannot be changed: <drift>
      Given the live release
      When the release is planned with <drift>
      Then the plan names <drift>, and what to do about it
      And planning has changed nothing

      Examples:
        | drift                             |
        | a claim of another storage class  |
        | a smaller claim                   |
        | another governing Service         |

    Scenario Outline: An apply of what cannot be changed is refused, and changes nothing: <drift>
      Given the live release
      When the release is applied with <drift>
      Then it is refused because it was rejected by admission
      And it is told what to do about it
      And no object in the namespace has changed

      Examples:
        | drift                             |
        | a claim of another storage class  |
        | a smaller claim                   |
        | another governing Service         |

    Scenario: A plan tells who else manages a field
      Given a namespace in which somebody else has a Service of the release's name
      When the release is planned
      Then the plan says who else manages a field of the Service
      And planning has changed nothing
