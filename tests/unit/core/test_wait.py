"""Offline checks of waiting: looks first, takes listed errors for "not yet", and says at the deadline what it saw."""

from __future__ import annotations

import ast
import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.core.wait import Deadlines, Timeout, keep, kept, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let time pass only while something waits; the list holds the pauses."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: sum(pauses))
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


def nothing() -> str:
    raise AssertionError("nobody is to be asked for what is true")


def test_what_is_true_already_costs_no_time(clock: list[float]) -> None:
    assert wait_for(lambda: "found", 10, nothing) == "found"
    assert clock == []


def test_it_looks_until_it_becomes_true(clock: list[float]) -> None:
    looks = iter([None, "", 0, "found"])
    assert wait_for(lambda: next(looks), 10, nothing) == "found"
    assert len(clock) == 3


def test_a_listed_error_is_not_yet() -> None:
    errors = [OSError("refused"), OSError("reset")]

    def look() -> str:
        if errors:
            raise errors.pop()
        return "found"

    assert wait_for(look, 10, nothing, (OSError,)) == "found"


def test_any_other_error_ends_the_wait(clock: list[float]) -> None:
    def look() -> None:
        raise ValueError("cannot heal")

    with pytest.raises(ValueError, match="cannot heal"):
        wait_for(look, 10, nothing, (OSError,))
    assert clock == []


def test_a_missed_deadline_says_what_and_the_last_error() -> None:
    def look() -> None:
        raise OSError("refused")

    with pytest.raises(Timeout, match=r"^Timeout: port not open after 2.5 s: refused$") as caught:
        wait_for(look, 2.5, lambda: "port not open", (OSError,))
    assert isinstance(caught.value.__cause__, OSError)


def test_a_missed_deadline_without_an_error_says_what_alone() -> None:
    with pytest.raises(Timeout, match=r"^Timeout: pod not gone after 1 s$"):
        wait_for(lambda: None, 1, lambda: "pod not gone")


def test_an_error_that_has_passed_is_not_told() -> None:
    looks = iter([True])

    def look() -> None:
        if next(looks, None):
            raise OSError("only at first")

    with pytest.raises(Timeout, match=r"^Timeout: pod not gone after 1 s$"):
        wait_for(look, 1, lambda: "pod not gone", (OSError,))


def test_the_last_look_comes_after_the_deadline(clock: list[float]) -> None:
    assert wait_for(lambda: sum(clock) >= 1.0, 1.0, nothing)


def test_patience_scales_every_deadline() -> None:
    once, twice = dataclasses.asdict(Deadlines()), dataclasses.asdict(Deadlines().scaled(2))
    assert twice == {name: seconds * 2 for name, seconds in once.items()}


class FinalError(OSError):
    lasting = True


def test_what_no_waiting_changes_ends_a_wait_at_once() -> None:
    looks = []

    def look() -> None:
        looks.append(1)
        raise FinalError

    with pytest.raises(FinalError):
        wait_for(look, 60, lambda: "not there", (OSError,))
    assert len(looks) == 1


def test_what_holds_in_a_process_is_scaled_as_a_whole() -> None:
    usual = dataclasses.asdict(Deadlines())
    keep(Deadlines().scaled(3))
    try:
        assert dataclasses.asdict(kept()) == {name: 3 * seconds for name, seconds in usual.items()}
    finally:
        keep(Deadlines())


SUPPORT = Path(__file__).parents[3] / "support"
# What is a pause and no time-out, or belongs to what is tried itself.
PAUSES = {"_BEAT", "_PAUSE", "_SHORT"}


def unscaled(node: ast.AST) -> bool:
    """Whether an expression is a number of its own module, which no patience scales."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float) and not isinstance(node.value, bool)
    return isinstance(node, ast.Name) and node.id.isupper() and node.id not in PAUSES


def limits(call: ast.Call) -> Iterator[ast.AST]:
    """Yield what bounds the time that a call may take."""
    name = getattr(call.func, "attr", None) or getattr(call.func, "id", "")
    yield from (
        word.value
        for word in call.keywords
        if word.arg in {"timeout", "_request_timeout", "gone", "deadline"}
    )
    if name == "settimeout":
        yield from call.args
    if name in {"wait_for", "create_connection"}:
        yield from call.args[1:2]
    if name == "exec":
        yield from call.args[4:5]


@pytest.mark.parametrize(
    "file", sorted(SUPPORT.rglob("*.py")), ids=lambda file: str(file.relative_to(SUPPORT))
)
def test_every_time_out_follows_patience(file: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    found = [f"line {call.lineno}" for call in calls for limit in limits(call) if unscaled(limit)]
    assert not found, f"promised: time-outs are fields of Deadlines\nseen:     {found}"
