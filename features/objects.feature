@needs-kubernetes
Feature: The objects of a release
  The platform's other programs, and people with kubectl, find a release by the names, the
  labels and the contents of its objects. Each scenario reads them from the cluster, not from
  the rendered manifests. Where a release differs from the component's documentation on purpose,
  that is a promise of its own, with its reason.

  Background:
    Given the live release

  @core
  Rule: Every documented object exists, and matches the documentation except for the differences below

    Scenario Outline: The <object> is as documented
      When an operator looks at the <object>
      Then it matches the documentation

      Examples:
        | object                    |
        | Namespace                 |
        | Secret of the certificate |
        | Secret of the token       |
        | claim                     |
        | StatefulSet               |
        | headless Service          |
        | Service                   |

      @needs-ingress-object
      Examples:
        | object  |
        | Ingress |

      @needs-route
      Examples:
        | object                |
        | route                 |
        | redirect of the route |

  @core
  Rule: Where the documentation would do harm, a release differs from it

    Scenario Outline: Unlike the documentation, <difference>
      When an operator looks at the StatefulSet
      Then it differs from the documentation: <difference>

      Examples:
        | difference                                          |
        | its Chroma has the version that was verified        |
        | its pod has no Service variables in its environment |
        | its pod has only the privileges that it needs       |
        | a broken pod does not block its replacement         |

      # Native releases keep the documented probes, and their Chroma itself checks the token.
      @needs-gateway
      Examples:
        | difference                     |
        | its probes start without delay |
        | a gateway checks the token     |

      @needs-integrity
      Examples:
        | difference                                          |
        | its pod is ready only when every collection answers |

      @needs-native-authentication
      Examples:
        | difference                                      |
        | its token has the variable names of its version |

  @core
  Rule: Other pods find a release under its documented names

    # In a cluster with several releases, "chroma" in these names is the namespace of each.
    Scenario Outline: The release answers at <name>
      When another pod asks for the heartbeat at <name>
      Then the other pod gets the heartbeat

      Examples:
        | name                                                |
        | chromadb-svc.chroma.svc.cluster.local               |
        | chroma-0.chromadb-headless.chroma.svc.cluster.local |
