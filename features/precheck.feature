Feature: Looking before acting
  Others change what a release stands on: they delete its claim, hold its pod, switch it off and on again.
  A backup, an apply and a roll back look at all that before they touch anything.
  What cannot end well is refused in words, and the release goes on as it was.

  @extended
  Rule: The number of pods that somebody has set is what a backup leaves behind

    Scenario Outline: A release that was switched off and on again is backed up, and lives on: <how>
      Given the release, live in a namespace of its own
      And a collection "field-notes" of 100 records
      And somebody has switched it off and on again <how>
      When the release is backed up
      Then the release lives on as it was
      And the collection "field-notes" holds 100 records

      Examples:
        | how                    |
        | by changing the object |
        | by its scale           |

    Scenario Outline: A release that is switched off is backed up, and stays off: <how>
      Given the release, live in a namespace of its own
      And somebody has switched it off <how>
      When the release is backed up
      Then the backup is whole, and the release is still switched off

      Examples:
        | how                    |
        | by changing the object |
        | by its scale           |

  @extended
  Rule: Whoever owns a field that a release needs is named, with the command that ends the conflict

    Scenario: An apply of a release that is switched off names who did that
      Given the release, live in a namespace of its own
      And somebody has switched it off by changing the object
      When the release is applied
      Then it is refused because another manager owns a field of it
      And it is told who owns the field, and the command that ends the conflict
      And no object in the namespace has changed

    Scenario: The command that it is told ends the conflict
      Given the release, live in a namespace of its own
      And somebody has switched it off by changing the object
      And the command was run that a refused apply has told
      When the release is applied
      Then the release is live

  @extended
  Rule: Nothing is begun that a pod which cannot end would keep from ending well

    Scenario Outline: What a pod that cannot end would hold up is refused: <act>
      Given the release, live in a namespace of its own
      And its pod is being deleted, and held by a finalizer
      When <act> is tried
      Then it is refused since the pod is being deleted, and what holds it is named
      And nothing has been touched

      Examples:
        | act                        |
        | a backup                   |
        | an apply with more memory  |
        | a roll back                |

    Scenario: A pod that turns out not to end during an apply is waited for once, and named
      Given the release, live in a namespace of its own
      And its pod is held by a finalizer
      When an apply with more memory is tried
      Then it is refused since the pod is being deleted, and what holds it is named
      And it has not been waited for twice

    Scenario: The status tells first what holds a pod that cannot end
      Given the release, live in a namespace of its own
      And its pod is being deleted, and held by a finalizer
      When its status is asked for
      Then the status says that it is not live because Pod chroma-0 is being deleted

  @extended
  Rule: In a namespace that is being deleted nothing is begun

    Scenario Outline: What a namespace that is being deleted would not take is refused: <act>
      Given a namespace that is being deleted, and held by something of somebody else
      When <act> is tried
      Then it is refused since the namespace is being deleted, and what holds it is named

      Examples:
        | act         |
        | an apply    |
        | a plan      |
        | a status    |
        | a restore   |

  @extended
  Rule: Nothing ends the pod that keeps a claim which is being deleted

    Scenario Outline: What would end the pod is refused while its claim is being deleted: <act>
      Given the release, live in a namespace of its own
      And a collection "field-notes" of 100 records
      And somebody has deleted its claim
      When <act> is tried
      Then it is refused since the claim is being deleted, and how its data is saved is told
      And the collection "field-notes" holds 100 records

      Examples:
        | act                        |
        | a backup                   |
        | a plan with more memory    |
        | an apply with more memory  |
        | a roll back                |

    Scenario: An apply that leaves the pod alone warns of the claim, and the release stays live
      Given the release, live in a namespace of its own
      And somebody has deleted its claim
      When the release is applied
      Then the release is live
      And no object in the namespace has changed

    Scenario: A status of a live release warns of its claim
      Given the release, live in a namespace of its own
      And somebody has deleted its claim
      When its status is asked for
      Then the status says that the release is live, and its heart beats
      And the status warns that the claim is being deleted, and says how its data is saved
