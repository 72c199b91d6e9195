@core @needs-ingress
Feature: Following the platform's certificate
  A release proves who it is with a copy of the platform's wildcard certificate.
  The platform renews it every few weeks, and tells nobody.
  A copy that lags behind is noticed before it expires, and the next apply brings it up to date.

  Rule: A renewed certificate is noticed, and copied at the next apply

    Scenario: A renewed certificate is presented after the next apply
      Given the release, live under a certificate of a platform of its own
      And the platform has renewed its certificate
      When the release is applied
      Then the release is live
      And nothing but the copy of the certificate has changed
      And the ingress presents the renewed certificate

    Scenario: A plan tells that the copy of the certificate is stale
      Given the release, live under a certificate of a platform of its own
      And the platform has renewed its certificate
      When the release is planned
      Then the plan says that the copy of the certificate is stale
      And planning has changed nothing
