@needs-ingress
Feature: Using a release
  The component's documentation shows how a release is used: in plain requests,
  from Python, from LangChain, from LlamaIndex and from a notebook inside the cluster.
  Users come through the ingress, neighbours in the cluster through the Service.
  What the documentation shows holds, and where it errs, it is said what holds instead.

  Background:
    Given the live release

  @core
  Rule: Plain requests keep, find and forget documents

    Scenario Outline: The requests of <interface> work <way>
      When somebody walks through the requests of <interface> <way>
      Then every document was kept, with its metadata
      And the nearest documents came first
      And a filter let through what matches and nothing else
      And what was deleted was gone

      Examples:
        | interface | way                 |
        | API v2    | through the ingress |
        | API v2    | through the Service |

    @needs-api-v1
    Scenario Outline: The requests of API v1, which the documentation shows, work <way>
      When somebody walks through the requests of API v1 <way>
      Then every document was kept, with its metadata
      And the nearest documents came first
      And a filter let through what matches and nothing else
      And what was deleted was gone

      Examples:
        | way                 |
        | through the ingress |
        | through the Service |

  @core
  Rule: The documented libraries keep, find and forget documents

    Scenario Outline: The example of <library> works <way>
      When somebody follows the example of <library> <way>
      Then every document was kept, with its metadata
      And the nearest documents came first
      And a filter let through what matches and nothing else
      And what was deleted was gone

      Examples:
        | library           | way                 |
        | the Python client | through the ingress |
        | LangChain         | through the ingress |
        | LangChain         | through the Service |
        | LlamaIndex        | through the ingress |
        | LlamaIndex        | through the Service |

    # The notebook's documented address is the Service's, which only the cluster can resolve.
    Scenario: The example of a notebook works inside the cluster
      When somebody follows the example of a notebook through the Service
      Then every document was kept, with its metadata
      And the nearest documents came first
      And a filter let through what matches and nothing else
      And what was deleted was gone

  # The documentation adds and asks by the collection's name. No release takes it.
  @core
  Rule: A collection is addressed by its id, where the documentation writes its name

    Scenario Outline: A name is no id to <request> in <interface>
      Given a collection of 3 records
      When a caller tries in <interface> to <request> by its name
      Then it is refused as invalid
      And the collection holds 3 records, each as it was written

      Examples:
        | interface | request        |
        | API v2    | add documents  |
        | API v2    | ask a question |

    @needs-api-v1
    Scenario Outline: A name is no id to <request>, where the documentation shows it
      Given a collection of 3 records
      When a caller tries in API v1 to <request> by its name
      Then it is refused as invalid
      And the collection holds 3 records, each as it was written

      Examples:
        | request        |
        | add documents  |
        | ask a question |
