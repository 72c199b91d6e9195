@extended @needs-gateway-api @needs-deploying @needs-kubernetes
Feature: Exposing a release by a route
  Where a platform exposes its hosts by the Gateway API, an HTTPRoute leads to a release instead of an Ingress.
  It keeps the same promises: https under the platform's certificate, no plain http, large bodies.
  Its Gateway belongs to the platform and has to accept it: where it does not, the refusal says why.

  Rule: A release behind a route keeps the promises of one behind an Ingress

    Scenario: A release goes live through its route
      Given an empty namespace whose hosts are exposed by a route
      When the release is applied
      Then the release is live
      And a route exposes it, and no Ingress does

    Scenario: Every caller needs the token
      Given the release, live behind a route
      When a caller asks for the collections by every route without a token
      Then the caller is refused by every route

    Scenario: The right token gives the collections
      Given the release, live behind a route
      When a caller asks for the collections by every route with the right token
      Then the caller gets the collections by every route

    Scenario: The route redirects plain http
      Given the release, live behind a route
      When a caller asks for the heartbeat over plain http
      Then the caller is redirected to the same address over https

    Scenario: The Gateway presents the certificate of the host
      Given the release, live behind a route
      When a caller inspects the certificate of the ingress
      Then it names the host, and a trusted authority has signed it

    Scenario: A body of 20 MiB passes the route
      Given the release, live behind a route
      And an empty collection
      When records are added to it in a body of 20 MiB
      Then Chroma has received the whole body

  Rule: A release moves from an Ingress to a route by an apply, and its objects change with it

    Scenario: After the platform has moved, the release has a route and no Ingress
      Given the release, live behind an Ingress of a platform that moves to the Gateway API
      When the release is applied
      Then the release is live
      And a route exposes it, and no Ingress does

  Rule: A release is refused before the rollout if its Gateway would not accept its route

    Scenario Outline: A Gateway refuses the route: <gateway>
      Given an empty namespace whose route leads to <gateway>
      When the release is applied
      Then it is refused because its route is not accepted by the Gateway
      And the refusal says: <reason>
      And nothing of the release is left

      Examples:
        | gateway                                     | reason              |
        | a Gateway that does not exist               | there is no Gateway |
        | a listener that the Gateway does not have   | has no listener     |
        | a Gateway that takes its own namespace only | takes routes of     |
        | a Gateway for other hosts                   | is for *.elsewhere  |

  Rule: A route that leads nowhere is refused with its cause

    Scenario: A route to a port that the Service does not have is refused
      Given an empty namespace whose hosts are exposed by a route
      When the release is applied with a route to a port that the Service does not have
      Then it is refused because its route leads to no Service
      And nothing of the release is left

    Scenario: A route whose host another route has is refused
      Given an empty namespace whose hosts are exposed by a route
      And another namespace that exposes its host
      When the release is applied
      Then it is refused because its host leads to another namespace
      And nothing of the release is left
