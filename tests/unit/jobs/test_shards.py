"""Features are shared so that each is in exactly one shard, and shards take about the same time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.jobs.shards import USUAL, Shard, ShardError, read_seconds, split
from tests.miniature import ROOT

if TYPE_CHECKING:
    from pathlib import Path

names = st.text("abcdefgh", min_size=1, max_size=3)
features = st.lists(names, unique=True, max_size=30)
durations = st.dictionaries(names, st.floats(0, 1e4), max_size=30)
numbers = st.integers(1, 12)


@given(features, durations, numbers)
def test_each_feature_is_in_exactly_one_share(chosen: list[str], seconds: dict[str, float], of: int) -> None:
    shares = split(chosen, of, seconds)
    assert len(shares) == of
    assert sorted(one for share in shares for one in share) == sorted(chosen)


@given(features, durations, numbers, st.randoms())
def test_the_order_of_features_makes_no_difference(
    chosen: list[str], seconds: dict[str, float], of: int, random: object
) -> None:
    shuffled = chosen[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis' own Random
    assert split(shuffled, of, seconds) == split(chosen, of, seconds)


@given(st.lists(names, unique=True, min_size=1), numbers, st.data())
def test_no_share_takes_twice_as_long_as_the_best_would(
    chosen: list[str], of: int, data: st.DataObject
) -> None:
    """Graham's bound of any list, of what no split can beat."""
    seconds = {one: data.draw(st.floats(0.1, 1e3)) for one in chosen}
    longest = max(sum(seconds[one] for one in share) for share in split(chosen, of, seconds))
    assert longest <= 2 * max(sum(seconds.values()) / of, *seconds.values()) + 1e-6


def test_the_longest_come_first() -> None:
    seconds = {"a": 9.0, "b": 5.0, "c": 4.0, "d": 3.0, "e": 1.0}
    assert split(list(seconds), 2, seconds) == [["a", "d"], ["b", "c", "e"]]


def test_a_feature_without_a_time_counts_as_the_mean_of_the_others() -> None:
    assert split(["a", "b", "new"], 2, {"a": 10.0, "b": 2.0}) == [["a"], ["b", "new"]]


@pytest.mark.parametrize("of", [2, 4])
def test_the_shipped_table_shares_the_features_that_there_are(of: int) -> None:
    seconds = read_seconds(USUAL)
    there = {file.relative_to(ROOT).as_posix() for file in (ROOT / "features").glob("*.feature")}
    assert set(seconds) <= there
    loads = [sum(seconds.get(one, 0) for one in share) for share in split(there, of, seconds)]
    assert max(loads) <= 1.25 * sum(loads) / of


def test_a_report_says_how_long_features_took(tmp_path: Path) -> None:
    scenarios = [
        {"place": "features/a.feature:3", "seconds": 1.5},
        {"place": "features/a.feature:9", "seconds": 2.0},
        {"place": "features/b.feature:3", "seconds": 0.25},
    ]
    (tmp_path / "conformance.json").write_text(json.dumps({"scenarios": scenarios}))
    assert read_seconds(tmp_path / "conformance.json") == {
        "features/a.feature": 3.5,
        "features/b.feature": 0.25,
    }


@pytest.mark.parametrize("content", ["[]", "a: [1]", "a: -1", "a: .inf", "scenarios: 3", "{"])
def test_what_says_no_times_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "seconds.yaml").write_text(content)
    with pytest.raises(ShardError, match=r"seconds\.yaml"):
        read_seconds(tmp_path / "seconds.yaml")


def test_a_pod_of_a_job_is_the_shard_of_its_index() -> None:
    environ = {"JOB_COMPLETION_INDEX": "0", "JOB_UID": "1-2"}
    assert Shard.parse("job/4", environ) == Shard(1, 4, "1-2")
    assert Shard.parse("2/4", {}) == Shard(2, 4)


@pytest.mark.parametrize("text", ["", "4", "0/4", "5/4", "a/4", "1/", "job/4", "-1/4", "1/4/4"])
def test_what_is_no_shard_is_told(text: str) -> None:
    with pytest.raises(ShardError):
        Shard.parse(text, {})
