"""A Job whose pod is ended cleans up; a shard that dies is named, and what it was to prove counts as not run."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, Final

import pytest

from bench.traces import Process
from support.core.wait import wait_for
from support.jobs.job import NAME
from tests.live.cluster.night import Users
from tests.live.cluster.place import PATIENCE
from tests.live.jobs.inside import FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.live.jobs.inside import Inside

pytestmark = pytest.mark.usefixtures("token")
# What a run has on the cluster while it lasts: of kinds, by the beginnings of their names, and where.
OURS: Final = (
    ("Namespace", "chroma-", None),
    ("Pod", "vantage", NAME),
    ("ConfigMap", "chroma-conformance-run-", "default"),
    ("Lease", "chroma-conformance-", "chroma"),
)


@pytest.fixture(scope="module")
def users(inside: Inside) -> Iterator[Users]:
    """People who use the release meanwhile, and see which databases it has."""
    with Users(inside.site).at_work() as users:
        yield users


def of_runs(inside: Inside, users: Users) -> list[str]:
    """Name all that runs have on the cluster and in the release, but for what is on its way out."""
    objects = [
        f"{kind} {one['metadata']['name']}"
        for kind, beginning, namespace in OURS
        for one in inside.kube.list(kind, namespace)
        if one["metadata"]["name"].startswith(beginning)
        and one["metadata"]["name"] != NAME
        and "deletionTimestamp" not in one["metadata"]
    ]
    return objects + [f"database {one}" for one in users.databases() if one.startswith("conformance")]


@pytest.mark.parametrize(
    ("options", "made"),
    [
        (("--verify", "features/collections.feature", "features/queries.feature"), "database "),
        (("features/rollback.feature",), "Namespace "),
    ],
    ids=["verify", "deploy"],
)
def test_a_job_whose_pod_is_deleted_leaves_nothing(
    inside: Inside, users: Users, options: tuple[str, ...], made: str
) -> None:
    job = inside.start(*options)

    def begun() -> bool:
        return any(one.startswith(made) for one in of_runs(inside, users))

    wait_for(
        begun, PATIENCE, lambda: f"nothing of the run is to be seen:\n{inside.kubectl('logs', f'job/{job}')}"
    )
    # As a drained node does it; it waits until the pod is gone.
    inside.kubectl("delete", "pod", inside.pod(job)["metadata"]["name"])
    assert of_runs(inside, users) == []
    assert inside.ended(job) in FAILED
    report = inside.report(job)
    assert (report["finished"], report["ended_by"]) == (False, "SIGTERM")
    assert users.errors == []


def test_a_shard_that_dies_is_named_and_its_scenarios_are_not_run(inside: Inside) -> None:
    job = inside.start(
        *("--shards", "2", "--verify", "features/access.feature", "features/collections.feature")
    )
    kill(inside.pod(job, 1))
    assert inside.ended(job) in FAILED
    code, said, report = inside.collect(job)
    assert (code, report["verdict"]) == (1, "failure")
    assert "shard 2 of 2 died: it left no report" in said
    assert [(one["finished"], one["source"] != "") for one in report["shards"]] == [
        (True, True),
        (False, False),
    ]
    died = report["shards"][1]
    assert 0 < died["not_run"] == died["scenarios"]
    not_run = [one for one in report["scenarios"] if one["outcome"] == "not_run"]
    assert len(not_run) == died["not_run"]
    assert {one["reason"] for one in not_run} == {"shard 2 of 2 died: it left no report"}
    # What the other shard proved stands, and its scenarios are those of other features.
    others = [one for one in report["scenarios"] if one["outcome"] != "not_run"]
    assert "passed" in {one["outcome"] for one in others}
    assert not {feature(one) for one in others} & {feature(one) for one in not_run}


def feature(scenario: dict[str, Any]) -> str:
    return str(scenario["place"]).partition(":")[0]


def kill(pod: dict[str, Any]) -> None:
    """Kill the program of a pod as the kernel does where memory is short, once it runs."""

    def running() -> list[int]:
        return [
            one.pid for one in Process.all() if pod["metadata"]["uid"] in one.groups and "pytest" in one.words
        ]

    for pid in wait_for(running, PATIENCE, lambda: f"{pod['metadata']['name']} does not run"):
        os.kill(pid, signal.SIGKILL)
