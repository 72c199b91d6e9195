"""Releases and users in trouble, and what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_bdd import given, then, when

from steps.vocabulary import OneOf, parser
from support.checks import troubleshooting
from support.checks.performance import measurements as slow
from support.checks.troubleshooting import DISRUPTIONS, Disruptable
from support.diagnosis.findings import Trouble

if TYPE_CHECKING:
    from contextlib import ExitStack

    from support.checks.performance.measurements import Latency
    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.core.symptoms import Symptom
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout
    from support.diagnosis.findings import Finding
    from support.release.release import Release

parse = parser(
    Act=OneOf.itself(troubleshooting.ACTS),
    Disruption=OneOf.itself(DISRUPTIONS),
    Trouble=OneOf({trouble.value: trouble for trouble in Trouble}),
)


@pytest.fixture
def disruptable(home: Namespace, live: Live, deadlines: Deadlines, run_id: str) -> Disruptable:
    """Return the live release as what may be disrupted."""
    return Disruptable(home, live, deadlines, run_id)


@given("the release, live on a small claim in a namespace of its own", target_fixture="live")
def live_on_small_claim(own_namespace: Namespace, release_under_test: Release) -> Live:
    return own_namespace.ensure_live(troubleshooting.on_small_claim(release_under_test))


@given(parse("it is disrupted: {disruption:Disruption}"))
def disrupted(disruptable: Disruptable, disruptions: ExitStack, disruption: str) -> None:
    disruptions.enter_context(DISRUPTIONS[disruption](disruptable))


@when(parse("a user {what:Act}"), target_fixture="symptom")
def act_as_user(live: Live, database: Database, collection: Collection, what: str) -> Symptom:
    return troubleshooting.act(live, database, collection, what)


@when("a user asks for the heartbeat", target_fixture="symptom")
def ask_for_heartbeat(live: Live, deadlines: Deadlines) -> Symptom:
    return troubleshooting.ask_for_heartbeat(live, deadlines)


@when("a user adds records until one is refused", target_fixture="symptom")
def add_until_refused(collection: Collection) -> Symptom:
    return troubleshooting.add_until_refused(collection)


@then(parse("the trouble is that {trouble:Trouble}"), target_fixture="diagnosis")
def trouble_is_named(live: Live, symptom: Symptom, trouble: Trouble) -> Finding:
    return troubleshooting.assert_diagnosed(live, symptom, trouble)


@then("nothing but writes is refused")
def only_writes_are_refused(collection: Collection) -> None:
    troubleshooting.assert_only_writes_are_refused(collection)


@then("with room again, a record is added")
def record_is_added_again(disruptions: ExitStack, collection: Collection, deadlines: Deadlines) -> None:
    disruptions.close()
    troubleshooting.assert_written_again(collection, deadlines)


@then(parse("the remedy says: {words}"))
def remedy_is_named(diagnosis: Finding, words: str) -> None:
    troubleshooting.assert_remedy(diagnosis, words)


@then(parse("the refusal says: {words}"))
def refusal_names_remedy(rollout: Rollout, words: str) -> None:
    troubleshooting.assert_refusal_says(rollout, words)


@then("answers that are slow by the usual limit give the same warning")
def slow_answers_are_warned_of(latency: Latency) -> None:
    slow.warn(latency)


@then("with a limit of 0 s a warning names the time and the remedy")
def warning_is_complete(latency: Latency) -> None:
    slow.assert_warning_is_complete(latency)
