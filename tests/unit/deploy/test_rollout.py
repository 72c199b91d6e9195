"""How long a release may take to become live."""

from __future__ import annotations

import time
from typing import Any

import pytest

from support.core.wait import Deadlines
from support.deploy.keeping import Building
from support.deploy.rollout import RolloutMonitor

STATEFULSET: dict[str, Any] = {
    "kind": "StatefulSet",
    "metadata": {"name": "chroma", "namespace": "chroma", "uid": "1", "generation": 1},
    "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "chroma"}]}}},
    "status": {"observedGeneration": 1, "replicas": 1, "updateRevision": "one", "currentRevision": "one"},
}
# Seconds after which the pod is ready: longer than a release may take without a reason.
READY = 50
SHORT = Deadlines(live=10, record=0.001)


class Cluster:
    """A watch that shows a pod which runs, and is ready in time; a second passes with each wait."""

    def __init__(self) -> None:
        self.now = 0.0
        self.objects = {("StatefulSet", "chroma"): STATEFULSET}

    def snapshot(self, kind: str) -> list[dict[str, Any]]:
        return [self._pod()] if kind == "Pod" else []

    def wait(self, _seconds: float) -> None:
        self.now += 1
        if self.now >= READY:
            ready = {**STATEFULSET, "status": {**STATEFULSET["status"], "readyReplicas": 1}}
            self.objects["StatefulSet", "chroma"] = ready

    def refresh(self) -> None:
        pass

    def _pod(self) -> dict[str, Any]:
        return {
            "kind": "Pod",
            "metadata": {
                "name": "chroma-0",
                "uid": "2",
                "labels": {"controller-revision-hash": "one"},
                "ownerReferences": [{"uid": "1"}],
            },
            "spec": {"nodeName": "n1", "containers": [{"name": "chroma"}]},
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": str(self.now >= READY)}],
            },
        }


class Health:
    """A release that answers well."""

    def heartbeat_advances(self) -> None: ...
    def rejects_anonymous(self) -> None: ...
    def holdings(self) -> str:
        return "3 collections"

    def acknowledges_write(self, *, indexed: bool) -> None:
        assert indexed


@pytest.mark.parametrize(("records", "lives"), [(0, False), (60_000, True)])
def test_a_release_has_the_time_that_the_building_of_its_indexes_takes(
    monkeypatch: pytest.MonkeyPatch, records: int, *, lives: bool
) -> None:
    told: list[str] = []
    building = Building(left=1, built=0, records=records) if records else None
    cluster = Cluster()
    monkeypatch.setattr(time, "monotonic", lambda: cluster.now)
    monitor = RolloutMonitor(cluster, SHORT, told.append, building=lambda: building)  # type: ignore[arg-type]  # a stand-in
    finding = monitor.wait_until_live(STATEFULSET, Health())  # type: ignore[arg-type]  # a stand-in
    assert (finding is None) == lives, finding
    said = "the index of one collection is being built anew: 0 of 60,000 records"
    assert (said in told) == lives, "people are told what is waited for, once"
    assert told.count(said) <= 1
