"""Failures for one cause are told once, the closest look at it first, and what could not run is no broken promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.diagnosis.findings import Trouble
from support.reporting.blocks import blocks
from support.reporting.scenario import Scenario
from support.reporting.verdict import Result

if TYPE_CHECKING:
    from support.reporting.verdict import Outcome

OPEN, SERVICE = str(Trouble.INSECURE), str(Trouble.SERVICE)
SELECTOR = f"{SERVICE}: its selector is {{'app': 'chromadb'}}"


def result(name: str, outcome: Outcome = "failed", feature: str = "Access", **facts: Any) -> Result:
    """Return what a scenario came to; examples of an outline have the same name before a bracket."""
    title, _, _ = name.partition("[")
    scenario = Scenario(f"features/{feature}.feature".lower(), 3, feature, "", title, ())
    return Result(f"{scenario.file}::{name}", scenario, outcome, 1.0, **facts)


def test_failures_for_one_trouble_are_one_block() -> None:
    failures = [
        result("one", trouble=OPEN, cause=OPEN, remedy="close it", reason="200 []"),
        result("two", "passed"),
        result("three", trouble=SERVICE, cause=SERVICE),
        result("four", trouble=OPEN, cause=OPEN, remedy="close it", reason="201 {}"),
        result("five", "skipped"),
    ]
    first, second = blocks(failures)
    assert [one.scenario.name for one in first.results] == ["one", "four"]
    assert list(first.in_short(120)) == [
        f"2 scenarios failed for one trouble: {OPEN}",
        "  to do: close it",
    ]
    assert second.headline == f"1 scenario failed: {SERVICE}"


def test_what_could_not_run_is_told_apart_and_first() -> None:
    waiting: dict[str, Any] = {"trouble": SERVICE, "cause": SELECTOR, "remedy": "mend the selector"}
    failures = [
        *(result(str(number), trouble=OPEN, cause=OPEN) for number in range(5)),
        result("six", "not_run", **waiting),
        result("seven", trouble=SERVICE, cause=SELECTOR),
        result("eight", "not_run", "Queries", **waiting),
    ]
    first, *others = blocks(failures)
    assert list(first.lines(200)) == [
        f"not run: 2 scenarios, since the release is not live: {SELECTOR}",
        "  to do: mend the selector",
        "  Access: 1",
        "  Queries: 1",
    ]
    assert [len(one.results) for one in others] == [5, 1]


def test_the_closest_look_speaks_for_a_block_and_silence_comes_last() -> None:
    silence = str(Trouble.SILENCE)
    failures = [
        *(result(str(number), trouble=silence, cause=silence) for number in range(3)),
        result("four", trouble=SERVICE, cause=SERVICE, remedy="look"),
        result("five", trouble=SERVICE, cause=SELECTOR, remedy="mend the selector"),
    ]
    assert [list(one.in_short(120)) for one in blocks(failures)] == [
        [f"2 scenarios failed for one trouble: {SELECTOR}", "  to do: mend the selector"],
        [f"3 scenarios failed for one trouble: {silence}"],
    ]


def test_failures_of_no_known_trouble_are_alike_by_their_words_or_their_step() -> None:
    failures = [
        result(
            "a[1]", reason='a recall of 72.8% for "x"', message="promised: Then it is  (features/q.feature:9)"
        ),
        result("b", reason="something else", message="promised: Then it is  (features/q.feature:9)"),
        result(
            "c", reason='a recall of 7% for "y"', message="promised: Then it was  (features/q.feature:30)"
        ),
        result("d", reason="it broke", message="promised: Then it is  (features/other.feature:9)"),
    ]
    assert [[one.scenario.name for one in block.results] for block in blocks(failures)] == [
        ["a", "b", "c"],
        ["d"],
    ]


def test_an_outline_is_a_line_and_what_was_seen_stands_there_once() -> None:
    message = "promised: Then it is refused: 401  (features/access.feature:7)\nseen:     200 []\nwhere:    steps/a.py:1"
    told: dict[str, Any] = {
        "trouble": OPEN,
        "cause": OPEN,
        "remedy": "close it",
        "evidence": "reports/evidence/access/a",
    }
    failures = [
        result("a[1]", reason="promised: 401; seen: 200 []", message=message, **told),
        result("a[2]", reason="promised: 401; seen: 200 []", message=message, **told),
        result("b", reason="promised: 401; seen: 405 at a path that is longer than a line is wide", **told),
        result("c", reason="promised: 401; seen: 200 []", **told),
    ]
    (block,) = blocks(failures)
    assert list(block.lines(60)) == [
        f"4 scenarios failed for one trouble: {OPEN}",
        "  to do: close it",
        "  promised: Then it is refused: 401  (features/access.featu…",
        "  seen:     200 []",
        "  where:    steps/a.py:1",
        "  evidence: reports/evidence/access/a",
        "  Access",
        "    a (and 1 more example)  features/access.feature:3",
        "    b  features/access.feature:3",
        "      seen: 405 at a path that is longer than a line is wide",
        "    c  features/access.feature:3",
    ]


def test_a_long_message_is_told_in_part_and_its_place_always() -> None:
    message = "\n".join([*map(str, range(30)), "where:    steps/a.py:1"])
    (block,) = blocks([result("a", reason="it broke", message=message, evidence="reports/evidence/access/a")])
    assert list(block.lines(120)) == [
        "1 scenario failed: it broke",
        "  to do: read reports/evidence/access/a/failure.txt",
        *(f"  {number}" for number in range(10)),
        "  (and 20 more in its failure.txt)",
        "  where:    steps/a.py:1",
        "  Access",
        "    a  features/access.feature:3",
    ]


def test_of_many_scenarios_the_first_have_a_line_and_the_others_their_places() -> None:
    failures = [
        result(f"{name}[{number}]", trouble=OPEN, cause=OPEN, remedy="close it", reason="200 []")
        for name in "abcdefg"
        for number in range(1 if name == "e" else 2)
    ]
    (block,) = blocks(failures)
    assert list(block.lines(70)) == [
        f"13 scenarios failed for one trouble: {OPEN}",
        "  to do: close it",
        "  Access",
        *(f"    {name} (and 1 more example)  features/access.feature:3" for name in "abc"),
        "    and 7 more in features/access.feature, lines 3 (2 examples), 3, 3",
        "      (2 examples), 3 (2 examples)",
    ]


def test_what_to_do_is_said_once_for_two_blocks() -> None:
    told = [
        result(name, trouble=name, cause=name, remedy=remedy)
        for name, remedy in (("a", "close it"), ("b", "close it"), ("c", "open it"))
    ]
    to_do = [line for block in blocks(told) for line in block.in_short(80) if "to do" in line]
    assert to_do == ["  to do: close it", "  to do: as above", "  to do: open it"]


def test_a_cause_of_no_known_trouble_is_whole() -> None:
    (block,) = blocks([result("a", reason=f"CopyError: {'long ' * 40}end")])
    assert next(iter(block.in_short(80))).endswith("long end")
