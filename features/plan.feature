@needs-deploying @needs-kubernetes
Feature: Planning a release
  Before an operator applies a release, a plan shows the effect on each object and field.
  It asks the cluster, and changes nothing there.
  It names each change that the cluster would refuse, with the remedy.

  @core
  Rule: A plan shows what an apply would do, and changes nothing itself

    Scenario: A plan of the live release changes nothing
      Given the live release
      When the release is planned
      Then the plan changes no object
      And planning has changed nothing

    Scenario: A plan before the first release creates everything
      Given an empty namespace
      When the release is planned
      Then the plan creates every object
      And planning has changed nothing

    Scenario Outline: A plan names a change, and nothing else: <change>
      Given the live release
      When the release is planned with <change>
      Then the plan names <change>, and nothing else
      And planning has changed nothing

      Examples:
        | change            |
        | more memory       |
        | another token     |
        | one more Service  |
        | one Service fewer |

      @needs-ingress-object
      Examples:
        | change                 |
        | a smaller upload limit |

      @needs-route
      Examples:
        | change                          |
        | a shorter time-out of its route |

    Scenario: An apply does what its plan names
      Given the release, live in a namespace of its own
      When the release is planned with one more Service, and then applied
      Then the apply has changed exactly what the plan named

  @core
  Rule: A plan shows that a secret changes, and never the secret

    Scenario: A plan of another token does not show it
      Given the live release
      When the release is planned with another token
      Then the plan shows no secret

  @extended
  Rule: A change that the cluster does not allow is refused with its remedy, and nothing is deleted for it

    Scenario Outline: A plan names a change that the cluster does not allow: <change>
      Given the live release
      When the release is planned with <change>
      Then the plan names <change>, and its remedy
      And planning has changed nothing

      Examples:
        | change                           |
        | a claim of another storage class |
        | a smaller claim                  |
        | another governing Service        |

    Scenario Outline: An apply with such a change is refused, and changes nothing: <change>
      Given the live release
      When the release is applied with <change>
      Then it is refused because it was rejected by admission
      And the refusal names the remedy
      And no object in the namespace has changed

      Examples:
        | change                           |
        | a claim of another storage class |
        | a smaller claim                  |
        | another governing Service        |

    Scenario: A plan names another manager of a field
      Given a namespace with a foreign Service of the release's name
      When the release is planned
      Then the plan names the other manager of a field of the Service
      And planning has changed nothing
