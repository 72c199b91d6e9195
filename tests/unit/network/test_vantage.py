"""The vantage pulls its image with what the platform pulls with: a copy in its own namespace, what is there in another's."""

from __future__ import annotations

from typing import Any

import pytest

from support.core.wait import Deadlines
from support.network.vantage import Vantage
from support.platform.pull_secret import KIND, PullSecret, copy_of

SOURCE = PullSecret("default", "registry")
HELD = {"type": KIND, "data": {".dockerconfigjson": "e30="}}


class Cluster:
    """A cluster that has some objects by their kinds and names; it keeps what is made."""

    def __init__(self, *there: tuple[str, str]) -> None:
        self.there = set(there)
        self.made: list[dict[str, Any]] = []

    def get(self, kind: str, name: str, _namespace: str | None = None) -> dict[str, Any] | None:
        return HELD if (kind, name) in self.there else None

    def apply(self, obj: dict[str, Any]) -> None:
        self.made.append(obj)

    def create(self, obj: dict[str, Any]) -> dict[str, Any]:
        self.apply(obj)
        return obj

    def delete(self, *_: object, **__: object) -> None:
        pass

    def pod(self) -> dict[str, Any]:
        """Return the specification of the one pod."""
        (pod,) = [one for one in self.made if one["kind"] == "Pod"]
        spec: dict[str, Any] = pod["spec"]
        return spec


def enter(cluster: Any, pull: PullSecret | None) -> None:
    with Vantage(cluster, "probe", Deadlines(), namespace="home", run_id="run", pull=pull):
        pass


def test_its_own_namespace_gets_a_copy() -> None:
    cluster = Cluster(("Secret", "registry"))
    enter(cluster, SOURCE)
    copy = copy_of("e30=", "home", "run")
    assert [one["kind"] for one in cluster.made] == ["Namespace", "Secret", "Pod"]
    assert copy in cluster.made
    assert cluster.pod()["imagePullSecrets"] == [{"name": copy["metadata"]["name"]}]


def test_in_a_namespace_that_is_there_it_pulls_with_the_one_of_that_name() -> None:
    cluster = Cluster(("Namespace", "home"))
    enter(cluster, SOURCE)
    assert [one["kind"] for one in cluster.made] == ["Pod"]
    assert cluster.pod()["imagePullSecrets"] == [{"name": "registry"}]


def test_where_none_is_named_it_pulls_without() -> None:
    cluster = Cluster()
    enter(cluster, None)
    assert [one["kind"] for one in cluster.made] == ["Namespace", "Pod"]
    assert "imagePullSecrets" not in cluster.pod()


def test_where_there_is_none_to_copy_nothing_is_made() -> None:
    cluster = Cluster()
    with pytest.raises(LookupError, match="Secret default/registry is missing"):
        enter(cluster, SOURCE)
    assert cluster.made == []
