"""Plans: what an apply would do, and that nothing of it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_bdd import given, then, when

from steps.vocabulary import OneOf, parser
from support.checks import plan
from support.checks.plan import CHANGES, IMMUTABLE_CHANGES, Forecast, PlannedChange, PlannedLook
from support.kube import probe

if TYPE_CHECKING:
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout
    from support.kube.client import Kube
    from support.release.release import Release

_SOMEBODY: Final = "another-tool"
parse = parser(PlannedChange=OneOf(CHANGES), ImmutableChange=OneOf(IMMUTABLE_CHANGES))


@given("a namespace with a foreign Service of the release's name", target_fixture="here")
def occupied_namespace(platform_kube: Kube, fresh_namespace: Namespace, run_id: str) -> Namespace:
    plan.occupy(platform_kube, probe.namespace(fresh_namespace.name, run_id), _SOMEBODY)
    return fresh_namespace


@when("the release is planned", target_fixture="look")
def plan_release(here: Namespace, release_under_test: Release) -> PlannedLook:
    return plan.look(here, release_under_test)


@when(parse("the release is planned with {change:PlannedChange}"), target_fixture="look")
def plan_changed_release(here: Namespace, release_under_test: Release, change: PlannedChange) -> PlannedLook:
    return plan.look(here, release_under_test, change)


@when(parse("the release is planned with {change:ImmutableChange}"), target_fixture="look")
def plan_immutable_change(here: Namespace, release_under_test: Release, change: PlannedChange) -> PlannedLook:
    return plan.look(here, release_under_test, change)


@when(
    parse("the release is planned with {change:PlannedChange}, and then applied"), target_fixture="forecast"
)
def plan_and_apply(here: Namespace, release_under_test: Release, change: PlannedChange) -> Forecast:
    return plan.forecast(here, release_under_test, change)


@when(parse("the release is applied with {change:ImmutableChange}"), target_fixture="rollout")
def apply_immutable_change(here: Namespace, release_under_test: Release, change: PlannedChange) -> Rollout:
    return here.apply(release_under_test, change.patches)


@then("the plan changes no object")
def plan_leaves_all(look: PlannedLook) -> None:
    plan.assert_touches(look, {})


@then("the plan creates every object")
def plan_creates_all(look: PlannedLook) -> None:
    plan.assert_creates_all(look)


@then(parse("the plan names {change:PlannedChange}, and nothing else"))
def plan_names_change(look: PlannedLook, change: PlannedChange) -> None:
    plan.assert_names(look, change)


@then(parse("the plan names {change:ImmutableChange}, and its remedy"))
def plan_names_immutable_change(look: PlannedLook, change: PlannedChange) -> None:
    plan.assert_names_refusal(look.plan, change)


@then("the plan shows no secret")
def plan_shows_no_secret(look: PlannedLook) -> None:
    plan.assert_shows_no_secret(look)


@then("the plan names the other manager of a field of the Service")
def plan_names_manager(look: PlannedLook) -> None:
    plan.assert_names_conflict(look.plan, _SOMEBODY, "targetPort")


@then("planning has changed nothing")
def planning_changes_nothing(look: PlannedLook) -> None:
    plan.assert_nothing_changed(look)


@then("the apply has changed exactly what the plan named")
def plan_came_true(forecast: Forecast) -> None:
    plan.assert_came_true(forecast)


@then("the refusal names the remedy")
def remedy_is_named(rollout: Rollout) -> None:
    plan.assert_remedy(rollout)
