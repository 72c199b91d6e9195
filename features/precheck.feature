@needs-deploying @needs-kubernetes
Feature: Checking before acting
  Others change the objects under a release: they delete its claim, hold its pod, scale it to 0 and back.
  A backup, an apply and a roll back check these objects before they change anything.
  They refuse an act that cannot succeed, and the release stays as it was.

  @extended
  Rule: A backup keeps the number of pods that another operator has set

    Scenario Outline: A release that was scaled to 0 and back is live after a backup: <how>
      Given the release, live in a namespace of its own
      And a collection "field-notes" of 100 records
      And another operator has scaled it to 0 and back <how>
      When the release is backed up
      Then the release is live, and its objects are unchanged
      And the collection "field-notes" holds 100 records

      Examples:
        | how                           |
        | by editing the object         |
        | through its scale subresource |

    Scenario Outline: A release that is scaled to 0 stays so after a backup: <how>
      Given the release, live in a namespace of its own
      And another operator has scaled it to 0 <how>
      When the release is backed up
      Then the backup is complete, and the release is still scaled to 0

      Examples:
        | how                           |
        | by editing the object         |
        | through its scale subresource |

  @extended
  Rule: A refusal names the owner of a field that a release needs, with the command that ends the conflict

    Scenario: An apply of a release that is scaled to 0 names the owner of the field
      Given the release, live in a namespace of its own
      And another operator has scaled it to 0 by editing the object
      When the release is applied
      Then it is refused because another manager owns a field of it
      And the refusal names the owner of the field, and the command that ends the conflict
      And no object in the namespace has changed

    Scenario: The command from the refusal ends the conflict
      Given the release, live in a namespace of its own
      And another operator has scaled it to 0 by editing the object
      And the operator has run the command from the refusal
      When the release is applied
      Then the release is live

  @extended
  Rule: No act begins that a pod which cannot end would block

    Scenario Outline: A pod that cannot end blocks <act>
      Given the release, live in a namespace of its own
      And its pod is being deleted, and a finalizer holds it
      When <act> is tried
      Then the refusal says that the pod is being deleted, and names the finalizer that holds it
      And nothing has changed

      Examples:
        | act                       |
        | a backup                  |
        | an apply with more memory |
        | a roll back               |

    Scenario: An apply waits only once for a pod that does not end, and names it
      Given the release, live in a namespace of its own
      And a finalizer holds its pod
      When an apply with more memory is tried
      Then the refusal says that the pod is being deleted, and names the finalizer that holds it
      And the apply has waited only once

    Scenario: The status names a pod that cannot end as the first cause
      Given the release, live in a namespace of its own
      And its pod is being deleted, and a finalizer holds it
      When the operator asks for its status
      Then the status says that it is not live because Pod chroma-0 is being deleted

  @extended
  Rule: No act begins in a namespace that is being deleted

    Scenario Outline: A namespace that is being deleted blocks <act>
      Given a namespace that is being deleted, held by a foreign object
      When <act> is tried
      Then the refusal says that the namespace is being deleted, and names the object that holds it

      Examples:
        | act       |
        | an apply  |
        | a plan    |
        | a status  |
        | a restore |

  @extended
  Rule: No act ends the pod that keeps a claim which is being deleted

    Scenario Outline: A claim that is being deleted blocks <act>
      Given the release, live in a namespace of its own
      And a collection "field-notes" of 100 records
      And another operator has deleted its claim
      When <act> is tried
      Then the refusal says that the claim is being deleted, and how to save its data
      And the collection "field-notes" holds 100 records

      Examples:
        | act                       |
        | a backup                  |
        | a plan with more memory   |
        | an apply with more memory |
        | a roll back               |

    Scenario: An apply that leaves the pod alone is accepted while the claim is being deleted
      Given the release, live in a namespace of its own
      And another operator has deleted its claim
      When the release is applied
      Then the release is live
      And no object in the namespace has changed

    Scenario: The status of a live release warns that its claim is being deleted
      Given the release, live in a namespace of its own
      And another operator has deleted its claim
      When the operator asks for its status
      Then the status says that the release is live, and shows its heartbeat
      And the status warns that the claim is being deleted, and says how to save its data
