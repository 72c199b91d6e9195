"""Shards are merged into one run: each scenario counts once, and what a shard did not run is never passed."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from support.jobs.merge import MergeError, Part, merge
from support.reporting.scenario import Scenario
from support.reporting.verdict import judge, overall

SCENARIOS = [
    Scenario("features/a.feature", 3, "A", "", "one", ("core",)),
    Scenario("features/a.feature", 7, "A", "", "two", ("core",)),
    Scenario("features/b.feature", 3, "B", "", "three", ("core",)),
]
SHARES = [
    [[f"{one.file}::test_{one.name}", one.place, one.name] for one in SCENARIOS[:2]],
    [[f"{one.file}::test_{one.name}", one.place, one.name] for one in SCENARIOS[2:]],
]


def entry(scenario: Scenario, outcome: str = "passed") -> dict[str, Any]:
    return {
        "id": f"{scenario.file}::test_{scenario.name}",
        "feature": scenario.feature,
        "rule": "",
        "scenario": scenario.name,
        "tags": list(scenario.tags),
        "place": scenario.place,
        "outcome": outcome,
        "started": "2026-11-27T00:00:00.000+00:00",
        "seconds": 1.0,
        **({"message": "promised: 1\nseen: 2", "reason": "promised: 1"} if outcome == "failed" else {}),
    }


def part(number: int, *scenarios: dict[str, Any], **facts: Any) -> Part:
    report = {
        "suite": {"name": "chroma-conformance", "version": "0.1.0"},
        "finished": True,
        "began": f"2026-11-27T00:00:0{number}.000+00:00",
        "seconds": 10.0,
        "run": f"run{number}",
        "release": "gateway",
        "fault": None,
        "provider": "external",
        "patience": 1.0,
        "hypothesis": {"profile": "dev", "seed": str(number)},
        "required": "core",
        "conceded": [],
        "broken": [],
        "scenarios": list(scenarios),
        "shard": {"number": number, "of": 2, "run": "1-2-3", "shares": copy.deepcopy(SHARES)},
    }
    return Part(f"shard {number}", report | facts)


ONE = part(1, entry(SCENARIOS[0]), entry(SCENARIOS[1]))
TWO = part(2, entry(SCENARIOS[2]))


def verdict(*parts: Part, of: int | None = None) -> tuple[str, dict[str, str], list[str]]:
    merged = merge(parts, SCENARIOS, of)
    levels = judge(SCENARIOS, merged.ended(), merged.broken)
    outcomes = {one.scenario.name: str(one.outcome) for one in merged.results}
    return overall(levels.values()), outcomes, merged.broken


def test_parts_make_the_run_that_one_process_would_have_made() -> None:
    passed = {"one": "passed", "two": "passed", "three": "passed"}
    assert verdict(ONE, TWO) == verdict(TWO, ONE) == ("success", passed, [])


def test_a_failure_of_a_shard_is_one_of_the_run() -> None:
    found, outcomes, broken = verdict(ONE, part(2, entry(SCENARIOS[2], "failed")))
    assert (found, outcomes["three"], broken) == ("failure", "failed", [])


def test_a_dead_shard_is_named_and_its_scenarios_are_not_run() -> None:
    found, outcomes, broken = verdict(TWO)
    assert found == "failure"
    assert outcomes == {"one": "not_run", "two": "not_run", "three": "passed"}
    assert broken == ["shard 1 of 2 died: it left no report; 2 of its 2 scenarios were not run"]


def test_a_shard_that_was_ended_counts_for_what_it_ran() -> None:
    ended = part(1, entry(SCENARIOS[0]), finished=False, ended_by="SIGTERM")
    found, outcomes, broken = verdict(ended, TWO)
    assert (found, outcomes["one"], outcomes["two"]) == ("failure", "passed", "not_run")
    assert broken == ["shard 1 of 2 has not finished: SIGTERM; 1 of its 2 scenarios were not run"]


def test_a_shard_that_did_not_begin_takes_its_share_from_the_others() -> None:
    never = part(1, finished=False)
    never.shard["shares"].clear()
    found, outcomes, broken = verdict(never, TWO)
    assert (found, outcomes["one"]) == ("failure", "not_run")
    assert broken == ["shard 1 of 2 has not finished: it broke; 2 of its 2 scenarios were not run"]


def test_a_job_knows_of_shards_of_which_nobody_else_does() -> None:
    with pytest.raises(MergeError, match="every one of them died"):
        merge([], SCENARIOS, 2)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (part(1, entry(SCENARIOS[0]), entry(SCENARIOS[1])), "shard 1 has two reports"),
        (part(2, entry(SCENARIOS[2]), release="native"), "its release is another"),
        (part(2, entry(SCENARIOS[0])), "test_one is not of shard 2"),
        (part(2, suite={"version": "0.2.0"}), "its suite is another"),
    ],
)
def test_what_is_not_of_the_run_is_refused(other: Part, told: str) -> None:
    with pytest.raises(MergeError, match=told):
        merge([ONE, other], SCENARIOS)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("run", "4-5-6", "is of another run than shard 1"),
        ("of", 3, "its shard.of is 3"),
        ("shares", [[], SHARES[1]], "shared in another way"),
    ],
)
def test_a_part_of_another_run_is_refused(name: str, value: Any, told: str) -> None:
    other = part(2, entry(SCENARIOS[2]))
    other.report["shard"][name] = value
    with pytest.raises(MergeError, match=told):
        merge([ONE, other], SCENARIOS)
