"""What is measured is judged and told as it should be."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.checks.performance import measurements as performance
from support.checks.performance import memory
from support.checks.performance.measurements import BatchSpeedup, RecordMemory
from support.core.restraint import Budget, Restraint
from support.kube.client import Exec
from support.kube.errors import ApiError

VERSION_1 = "cache 5\nrss 10\ntotal_rss 4096\nhierarchical_memory_limit 99\n"
VERSION_2 = "anon 8192\nfile 5\n"


def test_a_batch_that_is_no_faster_is_told() -> None:
    with pytest.raises(AssertionError, match=r"promised: a batch of 20 additions .*\nseen: +1\.0 times"):
        performance.assert_batch_wins(BatchSpeedup("additions", 20, single=1.0, batch=1.0))


@pytest.mark.parametrize("record", [0, 1000, 40_000])
def test_a_record_that_weighs_too_little_or_too_much_is_told(record: int) -> None:
    with pytest.raises(
        AssertionError, match="a record weighs between 1 and 12 times its vector of 1536 bytes"
    ):
        performance.assert_record_memory_is_in_bounds(RecordMemory(100, 384, grown=100 * record))


def test_a_measurement_is_told_once() -> None:
    measured: dict[str, str] = {}
    speedup = performance.report(BatchSpeedup("questions", 20, single=2.0, batch=0.1), measured)
    assert measured == {
        "a batch of 20 questions": "20.0 times as fast as single ones (0.100 s against 2.000 s)"
    }
    performance.assert_reported(speedup, measured)


@pytest.mark.parametrize(
    ("statistics", "held"), [(VERSION_1, 4096), (VERSION_2, 8192)], ids=["version 1", "version 2"]
)
def test_memory_is_read_from_either_version_of_control_groups(statistics: str, held: int) -> None:
    assert memory.resident(_live({"cat": Exec(1, statistics.encode(), b"no such file")})) == held


def test_memory_is_read_by_python_where_there_is_no_cat() -> None:
    assert memory.resident(_live({"python3.11": Exec(0, VERSION_1.encode(), b"")})) == 4096


def test_memory_that_nothing_can_read_is_told() -> None:
    with pytest.raises(LookupError, match=r"memory of chroma/chroma-0 .*no cat.*no python3"):
        memory.resident(_live({}))


def _live(programs: dict[str, Exec]) -> Any:
    def run(_namespace: str, _pod: str, _container: str, argv: list[str], _timeout: float) -> Exec:
        if argv[0] not in programs:
            raise ApiError(0, "InternalError", f"no {argv[0]}")
        return programs[argv[0]]

    return cast("Any", SimpleNamespace(namespace="chroma", kube=SimpleNamespace(exec=run)))


def test_a_measured_time_leaves_out_what_was_waited_for_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    bounded = Restraint(budget=Budget(busy=0.5))
    monkeypatch.setattr(performance, "restraint", lambda: bounded)

    def ask() -> None:
        bounded.asks_release("GET", "/x")

    bounded.was_answered(0.7)  # as much more is to pass
    assert performance._timed(ask) < 0.2
    assert bounded.waited > 0.3
