@needs-deploying @needs-kubernetes
Feature: Checking the inventory
  The inventory describes the platform: its domain, its classes, its registry, its cluster.
  The suite checks it as a whole, by itself and against the cluster, before it creates anything.
  It reports all mistakes at once, each with its remedy.

  @core
  Rule: A correct inventory is accepted

    Scenario: The inventory of this run is accepted
      Given the inventory of this run
      When the inventory is checked
      Then it is accepted
      And nothing has been created

  @core
  Rule: Each mistake is reported with its remedy, before anything is created

    Scenario Outline: An inventory with <mistake> is refused
      Given an inventory with <mistake>
      When the inventory is checked
      Then the refusal names each mistake and its remedy
      And nothing has been created

      Examples:
        | mistake                                           |
        | no domain                                         |
        | no administrator                                  |
        | an empty password                                 |
        | an ingress class that the cluster does not have   |
        | a storage class that the cluster does not have    |
        | a domain without a certificate                    |
        | a certificate that has expired                    |
        | a certificate that is not valid yet               |
        | a certificate for other hosts                     |
        | a certificate with the key of another certificate |
        | a registry that no node reaches                   |
        | a cluster that does not answer                    |
        | a user without permissions                        |

    Scenario: Many mistakes are reported at once
      Given an inventory with many mistakes
      When the inventory is checked
      Then the refusal names each mistake and its remedy
      And nothing has been created

  @core
  Rule: Missing read permissions are reported

    Scenario: The check lists the values that the user may not read
      Given an inventory with a user without permissions
      When the inventory is checked
      Then it lists the values that it could not check

  @core
  Rule: A name that an apply itself publishes is a warning, not a mistake

    # Some platforms publish a host's name, or that of their load balancer, only once there is an Ingress for it.
    Scenario Outline: An unpublished name is a warning: <name>
      Given an inventory in which <name> is not published yet
      When the inventory is checked
      Then it is accepted
      And it warns that the name is not published yet
      And nothing has been created

      Examples:
        | name                     |
        | the host's name          |
        | the load balancer's name |
