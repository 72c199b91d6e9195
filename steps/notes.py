"""What is shown of a live release, and what becomes of those who rely on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_bdd import then, when

from steps.vocabulary import OneOf, parser
from support.checks import notes as notes_checks
from support.commands.notes import Notes, notes_of

if TYPE_CHECKING:
    from support.checks.notes import ExampleRun
    from support.deploy.live import Live
    from support.network.vantage import Vantage

parse = parser(Language=OneOf.itself(notes_checks.LANGUAGES))


@pytest.fixture
def notes(live: Live) -> Notes:
    return notes_of(live)


@when("its notes are printed", target_fixture="notes")
def show_usage(live: Live) -> Notes:
    return notes_of(live)


@when(parse("the example in {language:Language} is run as shown"), target_fixture="example_run")
def run_example(live: Live, notes: Notes, language: str) -> ExampleRun:
    return notes_checks.run_example(live, notes.example(language))


@then("the release answers at each address in them")
def addresses_answer(live: Live, notes: Notes, vantage: Vantage) -> None:
    notes_checks.assert_addresses_answer(live, notes, vantage)


@then("exactly the interfaces in the notes answer")
def interfaces_answer(live: Live, notes: Notes) -> None:
    notes_checks.assert_interfaces_answer(live, notes)


@then("the Secret that they name holds the token")
def secret_holds_token(live: Live, notes: Notes) -> None:
    notes_checks.assert_secret_holds_token(live, notes)


@then("they do not show the token")
def token_is_not_shown(live: Live, notes: Notes) -> None:
    notes_checks.assert_token_is_not_shown(live, notes)


@then("its output is the one shown beside it")
def example_answers(example_run: ExampleRun) -> None:
    notes_checks.assert_answered(example_run)


@then("it leaves nothing behind")
def nothing_is_left(live: Live, notes: Notes) -> None:
    notes_checks.assert_nothing_is_left(live, notes)
