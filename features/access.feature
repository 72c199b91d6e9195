@needs-ingress
Feature: Access
  Whoever shows the token may use a release, and nobody else may.
  There are three ways in: users come through the ingress, neighbours in the
  cluster come through the Service, and they may also go straight at the pod.
  Who may port-forward to the pod or exec into it needs no token (README).

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
