"""Shards of a run, started one by one, come to what one process comes to."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.miniature import Miniature

FEATURE = """
@core
Feature: {name}
  Rule: It holds
    Scenario: {name} one
      Then it holds
    Scenario: {name} two
      Then it {two}
"""


@pytest.fixture
def checkout(miniature: Miniature) -> Miniature:
    for name, two in {"first": "holds", "second": "breaks", "third": "holds", "fourth": "holds"}.items():
        miniature.feature(name, FEATURE.format(name=name, two=two))
    miniature.steps(
        """
        @then("it holds")
        def it_holds(): pass

        @then("it breaks")
        def it_breaks(): assert False, "promised: it holds\\nseen:     it breaks"
        """
    )
    return miniature


def outcomes(report: Any) -> dict[str, str]:
    return {one["scenario"]: one["outcome"] for one in report["scenarios"]}


def shard(checkout: Miniature, number: int, *options: str) -> int:
    directory = checkout.root / "shards" / str(number)
    return checkout.run("features/", "--shard", f"{number}/3", "--report-dir", str(directory), *options).code


def test_the_merged_run_is_that_of_one_process(checkout: Miniature) -> None:
    code = checkout.run("features/").code
    whole = checkout.report()
    assert sorted(shard(checkout, number) for number in (1, 2, 3)) == [0, 0, 1]
    merged = checkout.run("--merge", "shards")
    report = checkout.report()
    assert (merged.code, outcomes(report)) == (code, outcomes(whole))
    assert report["levels"] == whole["levels"]
    assert sum(one["scenarios"] for one in report["shards"]) == 8
    assert "FAILED features/second.feature:" in merged.out


def test_what_a_dead_shard_was_to_run_is_not_run(checkout: Miniature) -> None:
    codes = {number: shard(checkout, number) for number in (1, 2, 3)}
    dead = next(number for number, code in codes.items() if code == 0)
    shutil.rmtree(checkout.root / "shards" / str(dead))
    merged = checkout.run("--merge", "shards")
    assert merged.code == 1
    assert f"shard {dead} of 3 died: it left no report" in merged.out
    assert len([one for one in outcomes(checkout.report()).values() if one == "not_run"]) in {2, 4}


def test_an_empty_share_is_no_failure(checkout: Miniature) -> None:
    chosen = ("-k", "first", "--require", "core", "--without", "disruptive")
    assert [shard(checkout, number, *chosen) for number in (1, 2, 3)] == [0, 0, 0]
    report = json.loads((checkout.root / "shards" / "3" / "conformance.json").read_text())
    assert (report["finished"], report["scenarios"]) == (True, [])
    # What each left unproved, the whole has to prove.
    assert checkout.run("--merge", "shards").code == 5
