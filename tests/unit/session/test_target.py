"""What a worker is told of a target is all that it needs to find it again."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from pydantic import SecretStr

from support.chroma.endpoint import Endpoint
from support.chroma.reachable import Credential, Tenancy
from support.deploy.results import NotLive
from support.session import target as session
from support.session.clusters import as_target
from support.session.target import Target
from support.target.ways import at_url, in_cluster
from tests.unit.target.cluster import Cluster
from tests.unit.target.test_deployed import deployed

if TYPE_CHECKING:
    from support.network.vantage import Vantage


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    there = Cluster()
    monkeypatch.setattr(session, "Kube", lambda *_: there)
    return there


def target(cluster: Cluster, *capabilities: str, **stated: Any) -> Target:
    it = deployed(cluster, **stated)
    way = at_url(it) if it.stated.url else in_cluster(it)
    tenancy = Tenancy("mine", "own")
    endpoint = Endpoint(
        way, Credential(SecretStr("sesame"), "Authorization"), tenancy, "1.0.0", False, False, 401, "1.5.9"
    )
    has, file = frozenset(capabilities), Path("/kubeconfig")
    return Target(endpoint, has, deployed=it, kubeconfig=file, context="staging")


def no_vantage() -> Vantage:
    raise AssertionError("no vantage is needed")


@pytest.mark.parametrize("stated", [{}, {"url": "https://notes.example.com"}], ids=["service", "url"])
def test_a_worker_finds_it_again(cluster: Cluster, stated: dict[str, Any]) -> None:
    told = target(cluster, "ingress", "vantage", **stated)
    handed = json.loads(json.dumps(told.handed()))
    found = Target.read(handed["target"])
    assert found == told
    assert as_target(found) is found


def test_it_is_live_as_long_as_it_is_rolled_out(cluster: Cluster) -> None:
    it = target(cluster, url="https://notes.example.com")
    assert it.live(no_vantage) is it.endpoint
    cluster.one("Deployment")["status"]["readyReplicas"] = 0
    with pytest.raises(NotLive, match="Deployment notes/notes is not rolled out: 0 of 1 pods are ready"):
        it.live(no_vantage)


def test_what_it_lacks_is_told_by_its_reason(cluster: Cluster) -> None:
    assert "no vantage_image is given" in target(cluster).lacks("vantage")
    given = target(cluster, vantage_image="registry.example.com/probe:1")
    assert "--vantage-namespace none rules out" in given.lacks("vantage")
    assert "deployed by something else" in given.lacks("kubernetes")


def test_its_ways_inside_the_cluster_are_there_with_a_vantage_alone(cluster: Cluster) -> None:
    it = target(cluster, "ingress", url="https://notes.example.com")
    assert it.routes(it.endpoint.way, no_vantage).of(["ingress", "service", "pod"]) == ("ingress",)
    seen = target(cluster, "ingress", "vantage", url="https://notes.example.com")
    found = seen.routes(seen.endpoint.way, lambda: cast("Vantage", object()))
    assert found.of(["service", "pod"]) == ("service", "pod")


@pytest.mark.parametrize(("beats", "advances"), [(["1", "2"], True), (["1", "1"], False)])
def test_a_heartbeat_that_stands_still_is_seen(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, beats: list[str], advances: bool
) -> None:
    answers = iter(beats)
    monkeypatch.setattr("support.network.http.ask", lambda *_: SimpleNamespace(body=next(answers).encode()))
    assert session._advances(target(cluster).endpoint) is advances
