"""What others do to what a release stands on, and acts that look at it before they touch anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then, when

from steps.vocabulary import OneOf, parser
from support.checks import precheck
from support.checks.precheck import ACTS, WAYS_TO_SCALE, PrecheckedAct

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from support.backup.backup import BackupRunner
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout
    from support.kube.client import Kube
    from support.release.release import Release

parse = parser(PrecheckedAct=OneOf.itself(ACTS), Way=OneOf.itself(WAYS_TO_SCALE))


@given(parse("another operator has scaled it to 0 {way:Way}"))
def switched_off(
    platform_kube: Kube, live: Live, way: str, deadlines: Deadlines, interventions_of_others: ExitStack
) -> None:
    precheck.scale(platform_kube, live, 0, way, deadlines)
    interventions_of_others.callback(
        precheck.scale, platform_kube, live, 1, "through its scale subresource", deadlines
    )


@given(parse("another operator has scaled it to 0 and back {way:Way}"))
def switched_off_and_on(platform_kube: Kube, live: Live, way: str, deadlines: Deadlines) -> None:
    precheck.scale(platform_kube, live, 0, way, deadlines)
    precheck.scale(platform_kube, live, 1, way, deadlines)


@given("the operator has run the command from the refusal")
def suggested_command(platform_kube: Kube, home: Namespace, release_under_test: Release) -> None:
    precheck.run_suggested_command(platform_kube, home, release_under_test)


@given("its pod is being deleted, and a finalizer holds it")
def stuck_pod(
    platform_kube: Kube, live: Live, deadlines: Deadlines, interventions_of_others: ExitStack
) -> None:
    interventions_of_others.enter_context(precheck.stuck_pod(platform_kube, live, deadlines))


@given("a finalizer holds its pod")
def held_pod(
    platform_kube: Kube, live: Live, deadlines: Deadlines, interventions_of_others: ExitStack
) -> None:
    interventions_of_others.enter_context(precheck.held_pod(platform_kube, live, deadlines))


@given("a namespace that is being deleted, held by a foreign object", target_fixture="here")
def ending_namespace(
    platform_kube: Kube, fresh_namespace: Namespace, run_id: str, interventions_of_others: ExitStack
) -> Namespace:
    interventions_of_others.enter_context(precheck.ending_namespace(platform_kube, fresh_namespace, run_id))
    return fresh_namespace


@given("another operator has deleted its claim")
def deleted_claim(platform_kube: Kube, live: Live) -> None:
    precheck.delete_claim(platform_kube, live)


@when(parse("{act:PrecheckedAct} is tried"), target_fixture="prechecked_act")
def try_act(
    act: str, backup_runner: BackupRunner, here: Namespace, release_under_test: Release, file: Path
) -> PrecheckedAct:
    return precheck.try_act(act, backup_runner, here, release_under_test, file)


@then("the refusal says that the pod is being deleted, and names the finalizer that holds it")
def refused_over_pod(prechecked_act: PrecheckedAct) -> None:
    precheck.assert_refused(
        prechecked_act, "Pod chroma-0 is being deleted since", "finalizer example.com/hold"
    )


@then("the refusal says that the namespace is being deleted, and names the object that holds it")
def refused_over_namespace(prechecked_act: PrecheckedAct, here: Namespace) -> None:
    precheck.assert_refused(
        prechecked_act,
        f"Namespace {here.name} is being deleted since",
        "ConfigMap held (finalizer example.com/hold)",
    )


@then("the refusal says that the claim is being deleted, and how to save its data")
def refused_over_claim(prechecked_act: PrecheckedAct, release_under_test: Release) -> None:
    claim = f"PersistentVolumeClaim {release_under_test.claim.name}"
    precheck.assert_refused(prechecked_act, claim, "is being deleted since", "kubectl patch pv")


@then("nothing has changed")
def nothing_touched(prechecked_act: PrecheckedAct) -> None:
    precheck.assert_untouched(prechecked_act)


@then("the apply has waited only once")
def waited_once(prechecked_act: PrecheckedAct, deadlines: Deadlines) -> None:
    precheck.assert_quick(prechecked_act, deadlines)


@then("the refusal names the owner of the field, and the command that ends the conflict")
def conflict_is_named(rollout: Rollout) -> None:
    precheck.assert_names_conflict(rollout)


@then("the backup is complete, and the release is still scaled to 0")
def still_switched_off(live: Live, backup: Path) -> None:
    precheck.assert_still_off(live, backup)
