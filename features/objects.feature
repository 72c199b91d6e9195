Feature: The objects of a release
  The platform's other programs, and people with kubectl, find a release by its objects:
  by their names and labels, and by what stands in them. What is looked at is what the
  cluster holds, whatever was rendered. Where a release differs from the
  component's documentation on purpose, that is a promise of its own, with its reason.

  Background:
    Given the live release

  @core
  Rule: Every object that the component documents is there, and as documented but for the differences told below

    Scenario Outline: The <object> is as documented
      When an operator looks at the <object>
      Then it is as the component documents it

      Examples:
        | object                    |
        | Namespace                 |
        | Secret of the certificate |
        | Secret of the token       |
        | claim                     |
        | StatefulSet               |
        | headless Service          |
        | Service                   |
        | Ingress                   |

  @core
  Rule: Where the documentation would do harm, a release differs from it

    Scenario Outline: Unlike the documentation, <difference>
      When an operator looks at the StatefulSet
      Then it differs from the documentation: <difference>

      Examples:
        | difference                                           |
        | its Chroma is of the version that was proved         |
        | its pod is told of no Service by its environment     |
        | its pod may do no more than it needs                 |
        | its pod is replaced without waiting for a broken one |

      # Native releases keep the documented probes and are asked for the token by Chroma itself.
      @needs-gateway
      Examples:
        | difference                   |
        | its probes ask at once       |
        | a gateway asks for the token |

      @needs-native-authentication
      Examples:
        | difference                                       |
        | its Chroma is told of the token in its own words |

  @core
  Rule: Neighbours in the cluster find a release under its documented names

    # Where several releases share a cluster, "chroma" in them is the namespace of each.
    Scenario Outline: The release answers at <name>
      When a neighbour asks for the heartbeat at <name>
      Then the neighbour is given the heartbeat

      Examples:
        | name                                                |
        | chromadb-svc.chroma.svc.cluster.local               |
        | chroma-0.chromadb-headless.chroma.svc.cluster.local |
