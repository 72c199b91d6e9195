"""A sweep removes what dead runs have left, names it, and outlives whatever the cluster says meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from support.core.wait import Deadlines
from support.deploy import sweep as sweeping
from support.deploy.sweep import Swept, sweep
from support.kube.errors import ApiError
from support.kube.labels import ownership

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
LONG_AGO = "2026-01-01T11:00:00Z"
OURS, DEAD = "0a0a0a0a", "1b1b1b1b"


def made(kind: str, name: str, run: str | None, **metadata: Any) -> dict[str, Any]:
    known = {"name": name, "creationTimestamp": LONG_AGO, "labels": ownership(run)}
    place = {} if kind == "Namespace" else {"namespace": "chroma"}
    return {"kind": kind, "metadata": known | place | metadata}


class Cluster:
    """Holds objects of the suite; refuses what it is told to."""

    def __init__(self, *objects: dict[str, Any], refuses: str = "") -> None:
        self.objects = list(objects)
        self.refuses = refuses

    def list(self, kind: str, namespace: str | None = None, *_: Any) -> list[dict[str, Any]]:
        self._maybe(f"list {kind}")
        return [
            obj
            for obj in self.objects
            if obj["kind"] == kind and namespace in {None, obj["metadata"].get("namespace")}
        ]

    def get(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        found = [obj for obj in self.list(kind, namespace) if obj["metadata"]["name"] == name]
        return found[0] if found else None

    def delete(self, kind: str, name: str, *_: Any, **__: Any) -> None:
        self._maybe(f"delete {kind}")
        self.objects = [
            obj
            for obj in self.objects
            if (obj["kind"], obj["metadata"]["name"]) != (kind, name) or obj["metadata"].get("finalizers")
        ]

    def patch(self, kind: str, name: str, namespace: str | None, merge: dict[str, Any]) -> None:
        found = self.get(kind, name, namespace)
        assert found
        found["metadata"] |= merge["metadata"]
        self.delete(kind, name)

    def _maybe(self, what: str) -> None:
        if what == self.refuses:
            raise ApiError(403, "Forbidden", f"may not {what}")

    def names(self) -> set[str]:
        return {obj["metadata"]["name"] for obj in self.objects}


@pytest.fixture(autouse=True)
def no_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "_releases", lambda _: [])


def swept(cluster: Cluster, *, begun: bool = False) -> Swept:
    inventory: Any = SimpleNamespace(domain_name="example.com")
    return sweep(cluster, inventory, OURS, NOW, Deadlines(), begun=begun)  # type: ignore[arg-type]  # a stand-in


def test_what_belongs_to_dead_runs_goes_and_nothing_else() -> None:
    theirs = {**made("Pod", "theirs", DEAD), "metadata": {"name": "theirs", "namespace": "x", "labels": {}}}
    cluster = Cluster(
        made("Namespace", f"chroma-{DEAD}-1", DEAD),
        made("Pod", "chroma-copy", DEAD),
        made("ConfigMap", "held", DEAD, finalizers=["chroma-conformance/nobody-sees-to-this"]),
        made("Pod", "ours", OURS),
        made("StatefulSet", "chroma", None),
        theirs,
    )
    told = "\n".join(swept(cluster).lines())
    assert cluster.names() == {"ours", "chroma", "theirs"}
    assert told == (
        f"removed what was left of runs that are dead ({DEAD}): Namespace chroma-{DEAD}-1, Pod chroma-copy in chroma, "
        "ConfigMap held in chroma"
    )


def test_a_finalizer_of_somebody_else_stays() -> None:
    held = made("ConfigMap", "held", DEAD, finalizers=["chroma-conformance/x", "example.com/hold"])
    cluster = Cluster(held)
    swept(cluster)
    assert held["metadata"]["finalizers"] == ["example.com/hold"]


@pytest.mark.parametrize(("begun", "stays"), [(False, False), (True, True)])
def test_a_pod_that_pulls_goes_where_nobody_can_still_wait_for_it(begun: bool, stays: bool) -> None:
    cluster = Cluster(made("Pod", "chroma-pull-x1", None, generateName="chroma-pull-"))
    swept(cluster, begun=begun)
    assert ("chroma-pull-x1" in cluster.names()) == stays


def test_where_nothing_is_left_nothing_is_said() -> None:
    assert list(swept(Cluster(made("StatefulSet", "chroma", None))).lines()) == []


@pytest.mark.parametrize("refuses", ["list Namespace", "delete Pod", "list ConfigMap"])
def test_what_may_not_be_looked_at_or_removed_is_told(refuses: str) -> None:
    told = list(swept(Cluster(made("Pod", "chroma-copy", DEAD), refuses=refuses)).lines())
    assert f"may not {refuses}" in told[-1]
    assert ("removed" in " ".join(told[:-1])) == (refuses == "list Namespace")
