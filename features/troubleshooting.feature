Feature: Troubleshooting
  Whoever is in trouble with a release is told what it is and what to do about it, by the
  suite in the same words wherever it comes up: when a release is refused, in the failure of a
  scenario, and in its evidence. Each scenario makes a release or its user fall ill with what the component's
  documentation lists.

  @core @needs-ingress
  Rule: A user who is refused is told why, and what to do

    Scenario Outline: A user <does>
      Given the live release
      And a collection of 3 records
      When a user <does>
      Then the trouble is that <trouble>
      And the remedy says: <remedy>

      Examples:
        | does                                    | trouble                              | remedy                      |
        | shows a wrong token                     | the token is not the release's       | Secret chroma-auth          |
        | trusts only well-known authorities      | the ingress does not prove who it is | ca_bundle of the inventory  |
        | sends more than the ingress takes       | the body is too large                | proxy-body-size             |
        | asks for a collection that is not there | there is no such collection          | list the collections        |
        | adds a vector of another dimension      | the vectors are of another dimension | the same embedding function |
        | asks with a vector of another dimension | the vectors are of another dimension | the same embedding function |

  @extended
  Rule: A release that cannot go live says what to do about it

    Scenario Outline: A refusal names the remedy: <reason>
      Given the live release
      When the release "<release>" is applied
      Then it is refused because <reason>
      And the refusal says: <remedy>

      Examples:
        | release       | reason                       | remedy                   |
        | unbound-claim | its claim is not bound       | kubectl get storageclass |
        | rejected      | it was rejected by admission | the field that it names  |

  @extended @needs-ingress
  Rule: Slow answers are a warning with the time that was measured, and no failure

    Scenario: Slow answers are warned of
      Given the live release
      And a collection of 200 records
      When it is asked 30 questions one after the other
      Then whoever runs the suite is warned if the answers were slow
      And such a warning tells the time and the remedy

  @extended @needs-ingress @needs-storage-limit
  Rule: A full claim is told from other failures, since a restart would make it worse

    Scenario: A claim is full
      Given the release, live on a small claim in a namespace of its own
      And a collection of 3 records
      And it has fallen ill: its claim is full
      When a user adds records until one is refused
      Then the trouble is that the claim is full
      And the remedy says: do not restart Chroma before there is room

  @extended @needs-ingress
  Rule: Who cannot reach a release is told where the way to it ends

    Scenario Outline: A release is out of reach: <sickness>
      Given the release, live on a small claim in a namespace of its own
      And it has fallen ill: <sickness>
      When a user asks for the heartbeat
      Then the trouble is that <trouble>
      And the remedy says: <remedy>

      Examples:
        | sickness                    | trouble                            | remedy                               |
        | its Service selects nothing | the Service leads to no pod        | the selector of Service chromadb-svc |
        | its Ingress is gone         | the ingress does not know the host | kubectl get ingress chroma-ingress   |
        | its pod is gone             | no pod of the release is ready     | kubectl describe pod chroma-0        |
