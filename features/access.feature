@needs-ingress
Feature: Access
  Whoever shows the token may use a release, and nobody else may.
  There are three ways in: users come through the ingress, neighbours in the
  cluster come through the Service, and they may also go straight at the pod.
  Who may port-forward to the pod or exec into it needs no token (docs/live-clusters.md).

  Background:
    Given the live release

  @core
  Rule: Nobody gets in without the right token

    Scenario Outline: Nobody gets in <credentials>
      When a caller asks for the collections on every way in <credentials>
      Then the caller is refused on every way in

      Examples:
        | credentials                              |
        | without a token                          |
        | with an empty token                      |
        | with a wrong token                       |
        | with the right token in the wrong case   |
        | with the right token in the wrong header |
        | with the beginning of the right token    |
        | with the end of the right token          |
        | with the right token and a letter more   |
        | with the hash of the right token         |

    Scenario: The right token beside a wrong one opens nothing
      When a caller asks for the collections on every way in with the right token beside a wrong one
      Then the caller is given no more than the heartbeat on every way in

    Scenario: A connection that the token has opened is closed to the next question
      When a caller asks on every way in with the right token, and again without it on the same connection
      Then the caller is refused on every way in

    Scenario Outline: Nobody can <write> without a token
      Given a collection of 3 records
      When a caller tries to <write> on every way in without a token
      Then the caller is refused on every way in
      And the collection holds 3 records, each as it was written
      And no other collection is beside it

      Examples:
        | write               |
        | create a collection |
        | delete a collection |
        | add a record        |
        | delete a record     |

  @core
  Rule: Whoever shows the right token is let in

    Scenario: The right token is let in
      When a caller asks for the collections on every way in with the right token
      Then the caller is given the collections on every way in

  @core @needs-gateway
  Rule: Only the heartbeat is open to everybody

    Scenario: Only the heartbeat is open
      When a caller asks for everything that the release offers on every way in without a token
      Then the caller is given the heartbeat alone on every way in

    # The ingress may tidy up a path before it passes it on: what then asks for the heartbeat gets the heartbeat.
    Scenario Outline: What merely resembles the heartbeat is closed: <lookalike>
      When a caller asks for the heartbeat with <lookalike> on every way in without a token
      Then the caller is refused through the Service and straight at the pod
      And the caller is given no more than the heartbeat through the ingress

      Examples:
        | lookalike                    |
        | a longer name                |
        | a slash behind it            |
        | a slash too many             |
        | an escaped letter            |
        | a filter behind it           |
        | a path that leads through it |
        | another method               |
        | a body                       |

  @core @needs-gateway
  Rule: A refusal comes at once, and says in which header the token is wanted

    Scenario Outline: The token in another header is refused: <credentials>
      When a caller asks for the collections on every way in <credentials>
      Then the caller is refused on every way in
      And the caller is told in which header the token is wanted

      Examples:
        | credentials                                         |
        | without a token                                     |
        | with a wrong token                                  |
        | with the right token as a bearer                    |
        | with the right token as an API key                  |
        | with a wrong token beside the right one as a bearer |

    Scenario Outline: Who asks for another protocol is refused: <switch>, <credentials>
      When a caller asks for <switch> on every way in <credentials>
      Then the caller is refused on every way in
      And the caller is told in which header the token is wanted

      Examples:
        | switch                               | credentials        |
        | a protocol that nobody knows         | without a token    |
        | a protocol that nobody knows         | with a wrong token |
        | a protocol, and sends a body with it | without a token    |
        | a websocket                          | without a token    |
        | HTTP/2                               | without a token    |

    Scenario: Who asks for a tunnel is refused
      When a caller asks for a tunnel through the Service and straight at the pod without a token
      Then the caller is refused through the Service and straight at the pod

    Scenario: Who shows the token may ask for another protocol, and is answered in this one
      When a caller asks for HTTP/2 through the Service and straight at the pod with the right token
      Then the caller is given the collections through the Service and straight at the pod

    Scenario: A large body does not drown its refusal
      When a caller sends a body of 5 MiB in chunks on every way in with a wrong token
      Then the caller is refused on every way in

    Scenario: A body that is too large does not drown its refusal
      When a caller sends a body of 60 MiB in chunks on every way in with the right token
      Then the caller is told on every way in that it is too large

    Scenario: A long header does not drown its refusal
      When a caller sends a header of 64 KiB on every way in without a token
      Then the caller is refused on every way in

  @core @needs-gateway
  Rule: Whoever shows no token keeps nobody out who does

    Scenario Outline: Users are served while neighbours <occupy>
      Given neighbours without a token who <occupy>
      When a caller asks again and again for the collections on every way in with the right token
      Then the caller is given the collections on every way in
      And the kubelet is answered, and nothing of the release has been restarted

      Examples:
        | occupy                             |
        | say nothing                        |
        | stay after a heartbeat             |
        | want to switch protocols           |
        | send their headers slowly          |
        | send their bodies slowly           |
        | say nothing at the port for probes |

    Scenario Outline: Nobody waits for a neighbour who <idles>
      When a neighbour without a token connects and <idles>
      Then the release ends the connection

      Examples:
        | idles                               |
        | says nothing                        |
        | begins to ask                       |
        | stays after a heartbeat             |
        | says nothing at the port for probes |

    Scenario Outline: One neighbour cannot take all connections <port>
      When a neighbour without a token opens as many connections to the port <port> as it gets
      Then it holds no more than a share of the connections <port>

      Examples:
        | port       |
        | for users  |
        | for probes |

  @extended @needs-gateway
  Rule: A release takes the token as a bearer's, and pages of other hosts, only where it says so

    Scenario Outline: A release that takes bearers lets in <credentials>
      Given the release "open-to-browsers", live in a namespace of its own
      When a caller asks for the collections on every way in <credentials>
      Then the caller is given the collections on every way in

      Examples:
        | credentials                      |
        | with the right token             |
        | with the right token as a bearer |

    Scenario Outline: A release that takes bearers refuses <credentials>
      Given the release "open-to-browsers", live in a namespace of its own
      When a caller asks for the collections on every way in <credentials>
      Then the caller is refused on every way in

      Examples:
        | credentials                                         |
        | without a token                                     |
        | with a wrong token as a bearer                      |
        | with a wrong token beside the right one as a bearer |

    Scenario: A browser may ask for an allowed page
      Given the release "open-to-browsers", live in a namespace of its own
      When a browser asks on every way in whether an allowed page may add records
      Then the browser is told on every way in that it may

    Scenario: A browser may not ask for another page
      Given the release "open-to-browsers", live in a namespace of its own
      When a browser asks on every way in whether another page may add records
      Then the caller is refused on every way in
      And the browser shows the page no answer on every way in

    Scenario: An allowed page needs the token as well
      Given the release "open-to-browsers", live in a namespace of its own
      When a browser asks for the collections on every way in for an allowed page without a token
      Then the caller is refused on every way in

    Scenario: A browser shows another page no answer
      Given the release "open-to-browsers", live in a namespace of its own
      When a browser asks for the collections on every way in for another page with the right token
      Then the browser shows the page no answer on every way in

    Scenario: A release that allows no page answers no browser beforehand
      When a browser asks on every way in whether an allowed page may add records
      Then the caller is refused on every way in
      And the browser shows the page no answer on every way in

  # Chroma's own authentication leaves more open than the gateway: its version, its limits, its documentation.
  @core @needs-native-authentication
  Rule: What Chroma itself leaves open tells nothing of the data

    Scenario: Nothing is open but what says nothing of the data
      When a caller asks for everything that the release offers on every way in without a token
      Then the caller is given what its version leaves open and no more on every way in

  @core @needs-gateway
  Rule: The gateway is the only door of the pod

    Scenario: Chroma itself is out of reach
      When a neighbour knocks at the doors of the pod
      Then the gateway answers and Chroma itself does not

  @core
  Rule: The ingress serves nothing in clear, and proves who it is

    Scenario: Plain http is redirected
      When a caller asks for the heartbeat over plain http
      Then the caller is sent to the same address over https

    Scenario: The ingress presents the certificate of its host
      When a caller asks the ingress who it is
      Then its certificate is the host's, from an authority that is trusted

  @extended
  Rule: A release keeps the token to itself

    Scenario: No answer holds the token
      When a caller tempts the release to repeat the token on every way in
      Then no answer holds the token
