@extended @needs-disposable
Feature: Living beside others
  Others put things into a cluster as well: containers into every pod, webhooks, policies, nodes that come later.
  A release goes live beside them; where something of theirs is in its way, the operator is told what, and what to do.
  What is theirs is not touched.

  @needs-gateway
  Rule: Containers that others put into its pods keep a release from nothing

    Scenario Outline: A release takes another image beside <sidecar>
      Given the release, live where every pod is given <sidecar>
      When the release is applied with another tag of its image
      Then the release is live

      Examples:
        | sidecar               |
        | an ordinary container |
        | a native side-car     |

    Scenario Outline: A release is backed up beside <sidecar>
      Given the release, live where every pod is given <sidecar>
      And a collection of 10 records
      When the release is backed up
      Then the release lives on as it was
      And the collection holds 10 records, each as it was written

      Examples:
        | sidecar               |
        | an ordinary container |
        | a native side-car     |

  Rule: A refusal of an object by a webhook that nobody answers names the webhook, and leaves nothing

    Scenario: A first release meets a webhook whose owner is gone
      Given an empty namespace
      And a webhook that judges its Ingresses and answers nobody
      When the release is applied
      Then it is refused because it was rejected by admission
      And the refusal says: see whether Service webhook in namespace gone-
      And nothing of the release is left

  Rule: A pod without a node is waited for where a node is on its way

    Scenario: A node comes later than any doubt lasts
      Given an empty namespace
      When the release is applied where an autoscaler brings a node later
      Then the release is live

  @needs-ingress @needs-networkpolicy
  Rule: A policy that keeps the ingress out is named, and the Service is not blamed

    Scenario: A namespace is closed by a NetworkPolicy
      Given an empty namespace
      And a NetworkPolicy of others that lets nobody into it
      When the release is applied
      Then it is refused because it never became ready
      And the refusal says: a NetworkPolicy keeps the ingress out
      And nothing of the release is left but its namespace
