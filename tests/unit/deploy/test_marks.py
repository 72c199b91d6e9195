"""A run is dead once its process is gone, or where that cannot be seen, once its mark lapses by the cluster's own clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.core.process import machine, this_process
from support.core.wait import Deadlines, wait_for
from support.deploy.marks import Mark, living
from support.kube.errors import ApiError
from support.kube.labels import LASTS, PROCESS, ownership

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
OURS, THEIRS = "0a0a0a0a", "1b1b1b1b"
ELSEWHERE = {"boot": "another", "processes": "pid:[1]", "pid": 1, "started": "1"}


def at(seconds_ago: float) -> str:
    return (NOW - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def mark(run: str, process: dict[str, Any], renewed: float, lapses: str = "30s") -> dict[str, Any]:
    return {
        "kind": "ConfigMap",
        "metadata": {
            "name": f"chroma-conformance-run-{run}",
            "labels": ownership(run),
            "creationTimestamp": at(9999),
            "managedFields": [{"manager": "chroma-conformance", "time": at(renewed)}],
        },
        "data": {"process": json.dumps(process), "lapses-after": lapses},
    }


def thing(run: str | None, age: float) -> dict[str, Any]:
    labels = ownership(run)
    return {"kind": "Pod", "metadata": {"name": "p", "labels": labels, "creationTimestamp": at(age)}}


def alive(*objects: dict[str, Any]) -> frozenset[str]:
    return living(objects, NOW, Deadlines(), OURS).runs


def gone() -> dict[str, Any]:
    """Return a process of this machine that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return {**machine(), "pid": process.pid, "started": "1"}


@pytest.mark.parametrize(("renewed", "lives"), [(0, True), (29, True), (31, False), (9999, False)])
def test_a_run_elsewhere_lives_as_long_as_its_mark_is_renewed(renewed: float, lives: bool) -> None:
    assert (THEIRS in alive(mark(THEIRS, ELSEWHERE, renewed))) == lives


def test_a_patient_run_says_itself_when_its_mark_lapses() -> None:
    assert THEIRS in alive(mark(THEIRS, ELSEWHERE, 80, "90s"))


def test_a_process_of_this_machine_is_looked_for() -> None:
    here = this_process()
    assert THEIRS in alive(mark(THEIRS, here, 9999)), "a run that is stopped lives"
    assert THEIRS not in alive(mark(THEIRS, gone(), 0)), "a run that was killed a moment ago is dead"
    assert THEIRS not in alive(mark(THEIRS, {**here, "started": "1"}, 0)), "the number is another's now"


@pytest.mark.parametrize("data", [None, {}, {"process": "[", "lapses-after": "soon"}, {"process": "7"}])
def test_a_mark_that_nobody_understands_is_none(data: Any) -> None:
    assert THEIRS not in alive({**mark(THEIRS, {}, 0), "data": data})


def test_a_run_lives_for_itself_even_without_a_mark() -> None:
    assert alive() == {OURS}


def test_a_mark_that_somebody_else_has_made_is_none() -> None:
    forged = mark(THEIRS, ELSEWHERE, 0)
    forged["metadata"]["labels"] = {"chroma-conformance/run": THEIRS}
    assert THEIRS not in alive(forged)


@pytest.mark.parametrize(
    ("obj", "left"),
    [
        (thing(THEIRS, 9999), True),
        (thing(THEIRS, 5), False),  # its run's mark may be on its way
        (thing(OURS, 9999), False),
        (thing(None, 9999), False),  # what lasts
        ({"kind": "Pod", "metadata": {"name": "p", "creationTimestamp": at(9999)}}, False),
        (
            {
                "kind": "Pod",
                "metadata": {
                    "name": "p",
                    "labels": {"chroma-conformance/run": THEIRS},
                    "creationTimestamp": at(9999),
                },
            },
            False,  # without our labels nothing is ours
        ),
    ],
)
def test_only_what_belongs_to_a_dead_run_alone_is_left(obj: dict[str, Any], left: bool) -> None:
    assert living([], NOW, Deadlines(), OURS).is_left(obj) == left


def test_what_a_run_made_a_moment_before_it_was_killed_is_left() -> None:
    judged = living([mark(THEIRS, gone(), 0)], NOW, Deadlines(), OURS)
    assert judged.is_left(thing(THEIRS, 1))
    assert judged.is_left(mark(THEIRS, gone(), 0)), "its mark goes, too"


class Cluster:
    """Keeps what is applied; refuses every third time."""

    def __init__(self) -> None:
        self.applied: list[dict[str, Any]] = []
        self.deleted: list[tuple[str, ...]] = []

    def apply(self, obj: dict[str, Any]) -> dict[str, Any]:
        self.applied.append(obj)
        if len(self.applied) % 3 == 0:
            raise ApiError(503, "ServiceUnavailable", "not now")
        return {**obj, "metadata": {**obj["metadata"], "creationTimestamp": at(0)}}

    def delete(self, *named: str) -> None:
        self.deleted.append(named)


def test_a_mark_is_renewed_until_its_run_ends_whatever_the_cluster_says_meanwhile() -> None:
    kube: Any = Cluster()
    with Mark(kube, "default", OURS, Deadlines(mark=0.06)):
        wait_for(lambda: len(kube.applied) > 6, 10, lambda: f"renewed {len(kube.applied)} times")
    count = len(kube.applied)
    assert kube.deleted == [("ConfigMap", f"chroma-conformance-run-{OURS}", "default")]
    assert len({obj["data"]["renewals"] for obj in kube.applied}) == count, (
        "a renewal that changes nothing has no time"
    )
    assert json.loads(kube.applied[0]["data"]["process"])["pid"] == os.getpid()
    assert kube.applied[0]["metadata"]["labels"] == ownership(OURS)


def vantage(process: dict[str, Any], age: float, lasts: str = "3600") -> dict[str, Any]:
    made = thing(THEIRS, age)
    made["metadata"]["annotations"] = {PROCESS: json.dumps(process), LASTS: lasts}
    return made


@pytest.mark.parametrize(
    ("process", "age", "left"),
    [
        ("here", 99_999, False),
        ("ended", 0, True),
        ("elsewhere", 3599, False),
        ("elsewhere", 3601, True),
    ],
)
def test_what_a_run_without_a_mark_has_made_tells_by_itself_whether_it_is_left(
    process: str, age: float, left: bool
) -> None:
    made_by = {"here": this_process(), "ended": gone(), "elsewhere": ELSEWHERE}[process]
    obj = vantage(made_by, age)
    assert living([], NOW, Deadlines(), OURS).is_left(obj) == left


def test_a_mark_of_a_dead_run_stands_above_what_its_things_tell() -> None:
    judged = living([mark(THEIRS, ELSEWHERE, 31)], NOW, Deadlines(), OURS)
    assert judged.is_left(vantage(this_process(), 0))
