"""What users keep in a release, while releases change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then, when
from pytest_bdd.parsers import parse

from support.checks import heritage
from support.checks.plan import CHANGES
from support.release.catalogue import load

if TYPE_CHECKING:
    from pathlib import Path

    from support.backup.backup import BackupRunner
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.plan import Plan
    from support.deploy.results import Rollout
    from support.kube.client import Kube
    from support.release.release import Release


@given("the release, live in a new namespace with a collection of its users", target_fixture="live")
def release_with_data(fresh_namespace: Namespace, release_under_test: Release) -> Live:
    return heritage.begin(fresh_namespace, release_under_test)


@given("its users have deleted that collection since")
def collection_deleted(live: Live) -> None:
    heritage.delete(live)


@given("its claim has been deleted with all its data")
def claim_deleted(platform_kube: Kube, here: Namespace, live: Live, deadlines: Deadlines) -> None:
    heritage.lose_claim(platform_kube, here, live, deadlines)


@given(parse('the release "{name:S}" has taken over from it'))
def release_took_over(here: Namespace, name: str) -> None:
    heritage.hand_over(here, load(name))


@given(parse('the release "{name:S}" has been refused, and its users have written more since'))
def release_was_refused(here: Namespace, name: str, live: Live) -> None:
    heritage.be_refused(here, load(name), live)


@given("a backup of it has been made")
def backup_was_made(here: Namespace, live: Live, backup_runner: BackupRunner, file: Path) -> None:
    backup_runner.back_up(here, live.release, file)


@when("the release is applied with more memory", target_fixture="rollout")
def apply_with_more_memory(here: Namespace, release_under_test: Release) -> Rollout:
    return here.apply(release_under_test, CHANGES["more memory"].patches)


@when("the release is applied with the downgrade accepted", target_fixture="rollout")
def apply_going_back(here: Namespace, release_under_test: Release) -> Rollout:
    return here.going_back().apply(release_under_test)


@when(parse('the release "{name:S}" is planned'), target_fixture="plan")
def plan_named_release(here: Namespace, name: str) -> Plan:
    return here.plan(load(name))


@then("the collection of its users answers as before")
def heirloom_answers(here: Namespace) -> None:
    heritage.assert_answers(here)


@then("no new claim has been created")
def no_claim_in_its_place(here: Namespace) -> None:
    heritage.assert_no_claim(here)


@then("the plan says that this cannot be undone, and that no backup is known")
def plan_warns_of_no_return(plan: Plan) -> None:
    heritage.assert_warns_of_no_return(plan)


@then("the plan says when the data was backed up")
def plan_names_backup(plan: Plan) -> None:
    heritage.assert_names_backup(plan)
