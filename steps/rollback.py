"""Deployments that break off, or are rolled back while they are under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then, when

from support.checks import precheck, rollback

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.checks.rollback import PartialDeployment
    from support.core.wait import Deadlines
    from support.deploy.namespace import Namespace
    from support.deploy.results import RollBack, Rollout
    from support.kube.objects import Object, Objects
    from support.release.release import Release


@given("its storage class retains its volume")
def volume_is_kept(kept_volume: str) -> None:
    assert kept_volume


@given(
    "for each object, a deployment interrupted just after creating it", target_fixture="partial_deployments"
)
def deployments_that_broke_off(
    fresh_namespaces: Callable[[], Namespace], release_under_test: Release
) -> list[PartialDeployment]:
    return rollback.break_off_after_each(fresh_namespaces, release_under_test)


@given("its deployment was interrupted by the operator")
def interrupted_deployment(here: Namespace, release_under_test: Release) -> None:
    rollback.interrupt(here, release_under_test)


@given("an object of it that cannot be removed")
def object_that_cannot_be_removed(finalizer_object: Object) -> None:
    assert finalizer_object["metadata"]["finalizers"]


@when("each of them is rolled back")
def roll_each_back(partial_deployments: list[PartialDeployment]) -> None:
    rollback.roll_back_all(partial_deployments)


@when("it is applied, and another operator rolls it back before it is live", target_fixture="rollout")
def roll_back_midway(here: Namespace, release_under_test: Release, deadlines: Deadlines) -> Rollout:
    return rollback.roll_back_midway(here, release_under_test, deadlines)


@when("the operator tries to roll the release back", target_fixture="message")
def try_to_roll_back(here: Namespace, deadlines: Deadlines) -> str:
    return rollback.try_to_roll_back(here, deadlines)


@then("only the claim is left of each, if it had been created")
def claims_are_left(partial_deployments: list[PartialDeployment]) -> None:
    rollback.assert_all_rolled_back(partial_deployments)


@then("the error names the object that is left")
def roll_back_names_object(message: str, finalizer_object: Object) -> None:
    rollback.assert_names(message, finalizer_object)


@then("the roll back names the objects that keep the namespace")
def roll_back_names_what_keeps_namespace(
    removal: RollBack, here: Namespace, foreign_objects: Objects
) -> None:
    precheck.assert_left(
        removal, f"kubectl delete namespace {here.name}", foreign_objects[0]["metadata"]["name"]
    )


@then("the roll back names the volume that still holds its data")
def roll_back_names_volume(removal: RollBack, kept_volume: str) -> None:
    precheck.assert_left(removal, kept_volume, f"kubectl delete pv {kept_volume}")
