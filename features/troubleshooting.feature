Feature: Troubleshooting
  The suite names a trouble and its remedy in the same words wherever it comes up: in the refusal
  of a release, in the failure of a scenario, and in its evidence. Each scenario disrupts a release
  or its user in a way that the component's documentation lists.

  @core @needs-ingress @needs-writing @needs-kubernetes
  Rule: A refused user learns the cause and the remedy

    Scenario Outline: A user <does>
      Given the live release
      And a collection of 3 records
      When a user <does>
      Then the trouble is that <trouble>
      And the remedy says: <remedy>

      Examples:
        | does                                       | trouble                              | remedy                      |
        | shows a wrong token                        | the token is not the release's       | Secret chroma-auth          |
        | trusts only well-known authorities         | the ingress does not prove who it is | ca_bundle of the inventory  |
        | sends more than the ingress takes          | the body is too large                | proxy-body-size             |
        | asks for a collection that is not there    | there is no such collection          | list the collections        |
        | adds a vector of another dimension         | the vectors are of another dimension | the same embedding function |
        | queries with a vector of another dimension | the vectors are of another dimension | the same embedding function |

  @extended @needs-deploying @needs-kubernetes
  Rule: A refusal of a release names the remedy

    Scenario Outline: A refusal names the remedy: <reason>
      Given the live release
      When the release "<release>" is applied
      Then it is refused because <reason>
      And the refusal says: <remedy>

      Examples:
        | release       | reason                       | remedy                   |
        | unbound-claim | its claim is not bound       | kubectl get storageclass |
        | rejected      | it was rejected by admission | the field that it names  |

  @extended @needs-ingress @needs-writing
  Rule: Slow answers are a warning with the measured time, and no failure

    Scenario: A warning names slow answers
      Given the live release
      And a collection of 200 records
      When 30 queries are sent to it one after the other
      Then with a limit of 0 s a warning names the time and the remedy
      And answers that are slow by the usual limit give the same warning

  @extended @needs-ingress @needs-storage-limit @needs-deploying @needs-kubernetes
  Rule: A full claim is recognised, since a restart would make it worse

    Scenario: A claim is full
      Given the release, live on a small claim in a namespace of its own
      And a collection of 3 records
      And it is disrupted: its claim is full
      When a user adds records until one is refused
      Then the trouble is that the claim is full
      And the remedy says: do not restart Chroma before there is room

  @core @needs-ingress @needs-storage-limit @needs-integrity @needs-deploying @needs-kubernetes
  Rule: A claim that is nearly full takes no more writes, and still gives and deletes records

    # A write that finds no room can break Chroma's index for good (docs/persistence.md).
    Scenario: A claim is nearly full
      Given the release, live on a small claim in a namespace of its own
      And a collection of 3 records
      And it is disrupted: its claim is nearly full
      When a user adds records until one is refused
      Then nothing but writes is refused
      And with room again, a record is added

  @extended @needs-ingress @needs-deploying @needs-kubernetes
  Rule: A diagnosis says where the route to a release ends

    Scenario Outline: A release is out of reach: <disruption>
      Given the release, live on a small claim in a namespace of its own
      And it is disrupted: <disruption>
      When a user asks for the heartbeat
      Then the trouble is that <trouble>
      And the remedy says: <remedy>

      Examples:
        | disruption                  | trouble                        | remedy                               |
        | its Service selects nothing | the Service leads to no pod    | the selector of Service chromadb-svc |
        | its pod is gone             | no pod of the release is ready | kubectl describe pod chroma-0        |

      @needs-ingress-object
      Examples:
        | disruption          | trouble                            | remedy                             |
        | its Ingress is gone | the ingress does not know the host | kubectl get ingress chroma-ingress |

      @needs-route
      Examples:
        | disruption        | trouble                            | remedy                  |
        | its route is gone | the ingress does not know the host | apply the release again |
