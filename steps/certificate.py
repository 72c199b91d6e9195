"""The certificate that a release copies from the platform, and its renewal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then

from support.checks.certificate import issuer as issuing

if TYPE_CHECKING:
    from support.checks.certificate.issuer import Issuer
    from support.checks.plan import PlannedLook
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout
    from support.release.release import Release


@given("the release, live with the certificate of a platform of its own", target_fixture="live")
def release_under_own_certificate(issued_namespace: Namespace, release_under_test: Release) -> Live:
    return issued_namespace.ensure_live(release_under_test)


@given("the platform has renewed its certificate", target_fixture="renewed")
def renewed_certificate(issuer: Issuer) -> str:
    return issuer.renew()


@then("the ingress presents the renewed certificate")
def renewed_certificate_is_presented(live: Live, renewed: str, deadlines: Deadlines) -> None:
    issuing.assert_presented(live, renewed, deadlines)


@then("only the copy of the certificate has changed")
def only_copy_has_changed(rollout: Rollout) -> None:
    issuing.assert_only_copy_changed(rollout)


@then("the plan says that the copy of the certificate is stale")
def plan_names_stale_certificate(look: PlannedLook) -> None:
    issuing.assert_names_stale_certificate(look)
