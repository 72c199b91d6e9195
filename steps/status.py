"""How a release is, as its status tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then, when
from pytest_bdd.parsers import parse

from support.checks import status as status_checks
from support.checks.deployment import tokens
from support.chroma import samples
from support.deploy import status as deploy_status

if TYPE_CHECKING:
    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.status import Status
    from support.release.release import Release
    from support.session.run import Run


@given(parse('a collection "{name:S}" of {count:d} records about "{topic:S}"'), target_fixture="collection")
def collection_about(database: Database, name: str, count: int, topic: str) -> Collection:
    return database.create(name, records=samples.records(count), metadata={"topic": topic})


@when("the operator asks for its status", target_fixture="status")
def ask_for_status(here: Namespace) -> Status:
    return deploy_status.observe(here)


@when("an operator with another token asks for its status", target_fixture="status")
def ask_with_another_token(here: Namespace, run: Run) -> Status:
    return deploy_status.observe(tokens.with_another_token(here, run.redactor))


@then("the status shows its images, its memory, and the room on its claim")
def status_says_what_it_takes(status: Status, release_under_test: Release) -> None:
    status_checks.assert_shows_what_it_takes(status, release_under_test)


@then("since when it is live, when its certificate ends, and when it was backed up")
def status_says_since_when(status: Status) -> None:
    status_checks.assert_shows_since_when(status)


@then("the status says that the release is live, and that it refuses that token")
def status_says_token_refused(status: Status) -> None:
    status_checks.assert_refuses_token(status)


@then("how to get the one that it takes")
def status_says_how_to_get_token(status: Status) -> None:
    status_checks.assert_says_how_to_get_token(status)


@then("the status says that the release is live, and shows its heartbeat")
def status_says_live(status: Status, release_under_test: Release) -> None:
    status_checks.assert_live(status, release_under_test)


@then("that its pod runs, its StatefulSet is rolled out, and its claim is bound")
def status_says_what_it_runs_on(status: Status, release_under_test: Release) -> None:
    status_checks.assert_runs(status, release_under_test)


@then("where it answers, and how it is registered")
def status_says_where_it_answers(status: Status, live: Live) -> None:
    status_checks.assert_announced(status, live)


@then(parse('the status shows the collection "{name:S}" of {count:d} records about "{topic:S}"'))
def status_lists_collection(status: Status, database: Database, name: str, count: int, topic: str) -> None:
    status_checks.assert_lists_collection(
        status, deploy_status.Collection(database.name, name, count, {"topic": topic})
    )


@then("the answer for programs holds all of it, and the one for people says that it is live")
def answers_agree(status: Status) -> None:
    status_checks.assert_same_in_every_form(status)


@then("neither holds the token")
def no_answer_holds_token(status: Status, live: Live) -> None:
    status_checks.assert_token_unspoken(status, live.token)


@then(parse("the status says that it is not live because {why}"))
def status_says_not_live(status: Status, why: str) -> None:
    status_checks.assert_not_live(status, why)


@then("how to scale it up again")
def status_says_how_to_switch_on(status: Status) -> None:
    status_checks.assert_says_how_to_switch_on(status)


@then("the status warns that the claim is being deleted, and says how to save its data")
def status_warns_of_claim(status: Status, release_under_test: Release) -> None:
    status_checks.assert_claim_is_warned_of(status, release_under_test)
