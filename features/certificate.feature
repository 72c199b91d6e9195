@core @needs-ingress @needs-ingress-object @needs-deploying @needs-kubernetes
Feature: Copying the platform's certificate
  A release presents a copy of the platform's wildcard certificate.
  The platform renews its certificate every few weeks, and gives no notice.
  A plan reports a stale copy before it expires, and the next apply renews it.

  Rule: A plan reports a renewed certificate, and the next apply copies it

    Scenario: After the next apply the ingress presents the renewed certificate
      Given the release, live with the certificate of a platform of its own
      And the platform has renewed its certificate
      When the release is applied
      Then the release is live
      And only the copy of the certificate has changed
      And the ingress presents the renewed certificate

    Scenario: A plan says that the copy of the certificate is stale
      Given the release, live with the certificate of a platform of its own
      And the platform has renewed its certificate
      When the release is planned
      Then the plan says that the copy of the certificate is stale
      And planning has changed nothing
