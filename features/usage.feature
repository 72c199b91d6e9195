@needs-ingress @needs-writing
Feature: Using a release
  The component's documentation shows how a release is used: in plain requests,
  from Python, from LangChain, from LlamaIndex and from a notebook inside the cluster.
  Users go through the ingress, other pods in the cluster through the Service.
  The documented examples hold; where the documentation errs, a Rule says what holds instead.

  Background:
    Given the live release

  @core
  Rule: Plain requests store, find and delete documents

    Scenario Outline: The requests of <interface> work <route>
      When a user sends the requests of <interface> <route>
      Then every document was stored with its metadata
      And the nearest documents came first
      And a filter returned the matching documents and no others
      And the deleted documents were gone

      Examples:
        | interface | route               |
        | API v2    | through the ingress |

      @needs-vantage
      Examples:
        | interface | route               |
        | API v2    | through the Service |

    @needs-api-v1
    Scenario Outline: The documented requests of API v1 work <route>
      When a user sends the requests of API v1 <route>
      Then every document was stored with its metadata
      And the nearest documents came first
      And a filter returned the matching documents and no others
      And the deleted documents were gone

      Examples:
        | route               |
        | through the ingress |

      @needs-vantage
      Examples:
        | route               |
        | through the Service |

  @core
  Rule: The documented libraries store, find and delete documents

    Scenario Outline: The example of <library> works <route>
      When a user follows the example of <library> <route>
      Then every document was stored with its metadata
      And the nearest documents came first
      And a filter returned the matching documents and no others
      And the deleted documents were gone

      Examples:
        | library           | route               |
        | the Python client | through the ingress |

      @needs-langchain
      Examples:
        | library   | route               |
        | LangChain | through the ingress |

      @needs-langchain @needs-vantage
      Examples:
        | library   | route               |
        | LangChain | through the Service |

      @needs-llamaindex
      Examples:
        | library    | route               |
        | LlamaIndex | through the ingress |

      @needs-llamaindex @needs-vantage
      Examples:
        | library    | route               |
        | LlamaIndex | through the Service |

    # The notebook's documented address is the Service's, which only the cluster can resolve.
    @needs-vantage
    Scenario: The example of a notebook works inside the cluster
      When a user follows the example of a notebook through the Service
      Then every document was stored with its metadata
      And the nearest documents came first
      And a filter returned the matching documents and no others
      And the deleted documents were gone

  # The documentation adds and queries by the collection's name. No release accepts it.
  @core
  Rule: A collection is addressed by its id, and not by its name as documented

    Scenario Outline: A name does not serve as an id to <request> in <interface>
      Given a collection of 3 records
      When a caller tries in <interface> to <request> by its name
      Then it is refused as invalid
      And the collection holds 3 records, each as it was written

      Examples:
        | interface | request       |
        | API v2    | add documents |
        | API v2    | query         |

    @needs-api-v1
    Scenario Outline: A name does not serve as an id to <request>, as documented
      Given a collection of 3 records
      When a caller tries in API v1 to <request> by its name
      Then it is refused as invalid
      And the collection holds 3 records, each as it was written

      Examples:
        | request       |
        | add documents |
        | query         |
