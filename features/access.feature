@needs-ingress @needs-authentication
Feature: Access
  Only a caller with the token may use a release.
  Three routes lead to it: users go through the ingress, other pods in the
  cluster go through the Service, or straight to the pod's address.
  A user who may port-forward to the pod or exec into it needs no token (docs/live-clusters.md).

  Background:
    Given the live release

  @core
  Rule: A release refuses every caller without the right token

    Scenario Outline: A caller <credentials> is refused
      When a caller asks for the collections by every route <credentials>
      Then the caller is refused by every route

      Examples:
        | credentials                                          |
        | without a token                                      |
        | with an empty token                                  |
        | with a wrong token                                   |
        | with the right token in swapped upper and lower case |
        | with the right token in the wrong header             |
        | with the beginning of the right token                |
        | with the end of the right token                      |
        | with the right token and one more letter             |
        | with the hash of the right token                     |

    Scenario: Two tokens in one request, one of them wrong, give no data
      When a caller asks for the collections by every route with the right token and a wrong one
      Then the caller gets no more than the heartbeat by every route

    # The port of the users is one of them; Chroma's own behind a proxy would be another.
    @needs-vantage
    Scenario: No port of the pod gives data without the token
      When a caller asks for the collections at every port of the pod without a token
      Then the caller gets no more than the heartbeat at the pod's address

    Scenario: On a kept-alive connection each request needs the token
      When a caller asks by every route with the right token, and again without it on the same connection
      Then the caller is refused by every route

    @needs-writing
    Scenario Outline: Without a token a caller cannot <write>
      Given a new collection of 3 records
      When a caller tries to <write> by every route without a token
      Then the caller is refused by every route
      And the collection holds 3 records, each as it was written
      And there is no other collection

      Examples:
        | write               |
        | create a collection |
        | delete a collection |
        | add a record        |
        | delete a record     |

  @core
  Rule: A caller with the right token is served

    Scenario: The right token gives the collections
      When a caller asks for the collections by every route with the right token
      Then the caller gets the collections by every route

  @core @needs-gateway
  Rule: Without a token only the heartbeat answers

    @needs-writing
    Scenario: The heartbeat is the only open endpoint
      When a caller requests every endpoint by every route without a token
      Then the caller gets the heartbeat alone by every route

    # The ingress may normalise a path before it passes it on: a path that becomes the heartbeat's gets the heartbeat.
    Scenario Outline: A request that resembles the heartbeat gives no data: <lookalike>
      When a caller asks for the heartbeat with <lookalike> by every route without a token
      Then the caller gets no more than the heartbeat by every route

      Examples:
        | lookalike                |
        | a longer path            |
        | a trailing slash         |
        | a double slash           |
        | a percent-encoded letter |
        | a query string           |
        | a path traversal         |
        | a body                   |

      @needs-writing
      Examples:
        | lookalike      |
        | another method |

    @needs-vantage
    Scenario Outline: Past the ingress a request that resembles the heartbeat is refused: <lookalike>
      When a caller asks for the heartbeat with <lookalike> through the Service and at the pod's address without a token
      Then the caller is refused through the Service and at the pod's address

      Examples:
        | lookalike                |
        | a longer path            |
        | a trailing slash         |
        | a double slash           |
        | a percent-encoded letter |
        | a query string           |
        | a path traversal         |
        | a body                   |

      @needs-writing
      Examples:
        | lookalike      |
        | another method |

  @core @needs-gateway
  Rule: A refusal comes at once, and names the header of the token

    Scenario Outline: A refusal names the header of the token: <credentials>
      When a caller asks for the collections by every route <credentials>
      Then the caller is refused by every route
      And the refusal names the header of the token

      Examples:
        | credentials                                            |
        | without a token                                        |
        | with a wrong token                                     |
        | with the right token as a bearer token                 |
        | with the right token as an API key                     |
        | with a wrong token and the right one as a bearer token |

    Scenario Outline: A request for another protocol is refused: <switch>, <credentials>
      When a caller asks for <switch> by every route <credentials>
      Then the caller is refused by every route
      And the refusal names the header of the token

      Examples:
        | switch              | credentials        |
        | an unknown protocol | without a token    |
        | an unknown protocol | with a wrong token |
        | a websocket         | without a token    |
        | HTTP/2              | without a token    |

      @needs-writing
      Examples:
        | switch                          | credentials     |
        | an unknown protocol with a body | without a token |

    @needs-vantage
    Scenario: A request for a tunnel is refused
      When a caller asks for a tunnel through the Service and at the pod's address without a token
      Then the caller is refused through the Service and at the pod's address

    @needs-vantage
    Scenario: A request for another protocol with the token is answered in HTTP/1.1
      When a caller asks for HTTP/2 through the Service and at the pod's address with the right token
      Then the caller gets the collections through the Service and at the pod's address

    @needs-writing
    Scenario: The refusal of a large body arrives
      When a caller sends a body of 5 MiB in chunks by every route with a wrong token
      Then the caller is refused by every route

    @needs-writing
    Scenario: The refusal of a body beyond the limit arrives
      When a caller sends a body of 60 MiB in chunks by every route with the right token
      Then the body is refused as too large by every route

    Scenario: The refusal of a long header arrives
      When a caller sends a header of 64 KiB by every route without a token
      Then the caller is refused by every route

  @core @needs-gateway @needs-kubernetes
  Rule: A caller without a token cannot keep out callers with one

    @needs-deploying
    Scenario Outline: Users are served while other pods <occupy>
      Given other pods without a token that <occupy>
      When a caller asks again and again for the collections by every route with the right token
      Then the caller gets the collections by every route
      And the probes are answered, and no container has restarted

      Examples:
        | occupy                                |
        | stay silent                           |
        | keep the connection after a heartbeat |
        | ask to switch protocols               |
        | send their headers slowly             |
        | send their bodies slowly              |
        | stay silent at the port for probes    |

    @needs-ingress @needs-deploying
    Scenario: Users are served while callers without a token keep connections through the ingress
      Given 450 connections through the ingress from callers without a token
      When a caller asks again and again for the collections by every route with the right token
      Then the caller gets the collections by every route
      And the probes are answered, and no container has restarted

    Scenario Outline: The release ends the connection of a pod that <idles>
      When a pod without a token connects and <idles>
      Then the release ends the connection

      Examples:
        | idles                                  |
        | stays silent                           |
        | begins a request                       |
        | keeps the connection after a heartbeat |
        | stays silent at the port for probes    |

    @needs-deploying
    Scenario Outline: One pod cannot take all connections <port>
      When a pod without a token opens as many connections to the port <port> as it gets
      Then it holds no more than a share of the connections <port>

      Examples:
        | port       |
        | for users  |
        | for probes |

  @extended @needs-gateway
  Rule: A release accepts bearer tokens and pages of other origins only if its file says so

    @needs-deploying @needs-kubernetes
    Scenario Outline: A release that accepts bearer tokens serves a caller <credentials>
      Given the release "open-to-browsers", live in a namespace of its own
      When a caller asks for the collections by every route <credentials>
      Then the caller gets the collections by every route

      Examples:
        | credentials                            |
        | with the right token                   |
        | with the right token as a bearer token |

    @needs-deploying @needs-kubernetes
    Scenario Outline: A release that accepts bearer tokens refuses a caller <credentials>
      Given the release "open-to-browsers", live in a namespace of its own
      When a caller asks for the collections by every route <credentials>
      Then the caller is refused by every route

      Examples:
        | credentials                                            |
        | without a token                                        |
        | with a wrong token as a bearer token                   |
        | with a wrong token and the right one as a bearer token |

    @needs-deploying @needs-kubernetes
    Scenario: A preflight of an allowed origin succeeds
      Given the release "open-to-browsers", live in a namespace of its own
      When a browser sends a preflight by every route for an allowed origin
      Then the browser may send the request by every route

    @needs-deploying @needs-kubernetes
    Scenario: A preflight of another origin is refused
      Given the release "open-to-browsers", live in a namespace of its own
      When a browser sends a preflight by every route for another origin
      Then the caller is refused by every route
      And the browser withholds the answer from the page by every route

    @needs-deploying @needs-kubernetes
    Scenario: An allowed origin needs the token as well
      Given the release "open-to-browsers", live in a namespace of its own
      When a browser asks for the collections by every route for an allowed origin without a token
      Then the caller is refused by every route

    @needs-deploying @needs-kubernetes
    Scenario: A browser withholds the answer from another origin
      Given the release "open-to-browsers", live in a namespace of its own
      When a browser asks for the collections by every route for another origin with the right token
      Then the browser withholds the answer from the page by every route

    Scenario: A release that allows no origin refuses every preflight
      When a browser sends a preflight by every route for an allowed origin
      Then the caller is refused by every route
      And the browser withholds the answer from the page by every route

  # Chroma's own authentication leaves more open than the gateway: its version, its limits, its documentation.
  @core @needs-native-authentication
  Rule: Endpoints that Chroma's own authentication leaves open reveal no data

    @needs-writing
    Scenario: Without a token only endpoints that reveal no data answer
      When a caller requests every endpoint by every route without a token
      Then only the endpoints that its version leaves open answer by every route

  @core @needs-gateway @needs-kubernetes
  Rule: The gateway is the only way to Chroma

    Scenario: Chroma's own port is out of reach
      When another pod connects to the ports of the gateway and of Chroma
      Then the gateway accepts the connection, and Chroma itself does not

  @core @needs-kubernetes
  Rule: The ingress serves nothing over plain http, and presents a trusted certificate

    Scenario: Plain http is redirected
      When a caller asks for the heartbeat over plain http
      Then the caller is redirected to the same address over https

    Scenario: The ingress presents the certificate of its host
      When a caller inspects the certificate of the ingress
      Then it names the host, and a trusted authority has signed it

  @extended
  Rule: A release never reveals the token

    @needs-writing
    Scenario: No answer holds the token
      When a caller sends requests whose errors could echo the token by every route
      Then no answer holds the token
