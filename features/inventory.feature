Feature: Checking the inventory
  The inventory says what the platform gives: its domain, its classes, its registry, its cluster.
  It is checked as a whole before anything is created, by itself and against the cluster.
  All that is missing or wrong is told at once, each with what to do about it.

  @core
  Rule: A right inventory is accepted

    Scenario: Nothing is wrong with the inventory of this run
      Given the inventory of this run
      When the inventory is checked
      Then nothing is wrong with it
      And nothing has been created

  @core
  Rule: What is missing or wrong is told with its remedy, before anything is created

    Scenario Outline: An inventory is refused with <mistake>
      Given an inventory with <mistake>
      When the inventory is checked
      Then it is refused for each mistake, with what to do about it
      And nothing has been created

      Examples:
        | mistake                                         |
        | no domain                                       |
        | no administrator                                |
        | an empty password                               |
        | an ingress class that the cluster does not have |
        | a storage class that the cluster does not have  |
        | a domain without a certificate                  |
        | a certificate that has expired                  |
        | a certificate that is not valid yet             |
        | a certificate of other hosts                    |
        | a certificate beside another's key              |
        | a registry that no node reaches                 |
        | a cluster that does not answer                  |
        | a user without rights                           |

    Scenario: Many mistakes are told at once
      Given an inventory with many mistakes
      When the inventory is checked
      Then it is refused for each mistake, with what to do about it
      And nothing has been created

  @core
  Rule: What may not be looked at is said, and not guessed

    Scenario: A user who may not look at classes and nodes is told so
      Given an inventory with a user without rights
      When the inventory is checked
      Then it says what it could not look at

  @core
  Rule: What an apply itself brings about is a warning and no mistake

    # Some platforms publish a host's name, or that of their load balancer, only once there is an Ingress for it.
    Scenario Outline: A name that is not published yet: <name>
      Given an inventory in which <name> is not published yet
      When the inventory is checked
      Then nothing is wrong with it
      And it warns that the name is not published yet
      And nothing has been created

      Examples:
        | name                     |
        | the host's own           |
        | that of a load balancer  |
