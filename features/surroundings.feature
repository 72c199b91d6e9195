@extended @needs-disposable @needs-deploying @needs-kubernetes
Feature: Sharing a cluster with others
  Others change a cluster as well: they add containers to every pod, webhooks, policies, nodes that come later.
  A release goes live beside them; if one of these blocks it, the refusal says which, and what to do.
  The suite does not touch foreign objects.

  @needs-gateway
  Rule: Injected containers keep a release neither from a change nor from a backup

    Scenario Outline: A release changes its image beside <sidecar>
      Given the release, live where every pod gets <sidecar>
      When the release is applied with another tag of its image
      Then the release is live

      Examples:
        | sidecar               |
        | an ordinary container |
        | a native sidecar      |

    Scenario Outline: A release is backed up beside <sidecar>
      Given the release, live where every pod gets <sidecar>
      And a collection of 10 records
      When the release is backed up
      Then the release is live, and its objects are unchanged
      And the collection holds 10 records, each as it was written

      Examples:
        | sidecar               |
        | an ordinary container |
        | a native sidecar      |

  Rule: A refusal names a webhook that does not answer, and leaves nothing

    Scenario: A webhook without a server blocks the first release
      Given an empty namespace
      And a webhook for its Ingresses and routes that never answers
      When the release is applied
      Then it is refused because it was rejected by admission
      And the refusal says: see whether Service webhook in namespace gone-
      And nothing of the release is left

    Scenario: A webhook without a server blocks a restore before anything is copied
      Given an empty namespace
      And a complete backup
      And a webhook for its Ingresses and routes that never answers
      When the backup is restored
      Then the restore is refused because the cluster would refuse the release
      And nothing of the release is left

    Scenario: A webhook without a server leaves the live release alone
      Given the live release
      And a webhook for its Ingresses and routes that never answers
      When the release is applied
      Then it is refused because it was rejected by admission
      And the release is live, and its objects are unchanged

  Rule: A release waits for a node that is on its way

    Scenario: A node comes late
      Given an empty namespace
      When the release is applied where an autoscaler adds a node later
      Then the release is live

  @needs-ingress @needs-networkpolicy
  Rule: A refusal names a policy that keeps the ingress out, and does not blame the Service

    Scenario: A namespace is closed by a NetworkPolicy
      Given an empty namespace
      And a foreign NetworkPolicy that admits no traffic
      When the release is applied
      Then it is refused because it never became ready
      And the refusal says: a NetworkPolicy keeps the ingress out
      And nothing of the release is left but its namespace
