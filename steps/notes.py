"""What is shown of a live release, and what becomes of those who rely on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from pytest_bdd import parsers, then, when

from steps.vocabulary import OneOf
from support.checks import notes
from support.commands.notes import Display, display

if TYPE_CHECKING:
    from support.checks.notes import Pasted
    from support.deploy.live import Live
    from support.network.vantage import Vantage

_TYPES: Final = {"Language": OneOf.itself(notes.LANGUAGES)}


def parse(text: str) -> parsers.parse:
    """Parse a step with the types of this module."""
    return parsers.parse(text, _TYPES)


@pytest.fixture
def usage(live: Live) -> Display:
    return display(live)


@when("its usage is shown", target_fixture="usage")
def show_usage(live: Live) -> Display:
    return display(live)


@when(parse("the example in {language:Language} is pasted as it is shown"), target_fixture="pasted")
def paste_example(live: Live, usage: Display, language: str) -> Pasted:
    return notes.paste(live, usage.example(language))


@then("the release answers at each address that is shown")
def addresses_answer(live: Live, usage: Display, vantage: Vantage) -> None:
    notes.assert_addresses_answer(live, usage, vantage)


@then("the interfaces that are shown answer, and no others")
def interfaces_answer(live: Live, usage: Display) -> None:
    notes.assert_interfaces_answer(live, usage)


@then("the Secret that is shown holds the token")
def secret_holds_token(live: Live, usage: Display) -> None:
    notes.assert_secret_holds_token(live, usage)


@then("the token itself is not shown")
def token_is_not_shown(live: Live, usage: Display) -> None:
    notes.assert_token_is_not_shown(live, usage)


@then("it prints what it shows")
def example_answers(pasted: Pasted) -> None:
    notes.assert_answered(pasted)


@then("nothing of it is left")
def nothing_is_left(live: Live, usage: Display) -> None:
    notes.assert_nothing_is_left(live, usage)
