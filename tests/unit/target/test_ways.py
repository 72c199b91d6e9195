"""The ways in to a target lead where its cluster says, whatever its objects are called."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from support.target.ways import TargetRoutes, at_url, in_cluster
from tests.unit.target.cluster import Cluster
from tests.unit.target.test_deployed import deployed

if TYPE_CHECKING:
    from support.network.vantage import Vantage

URL = "https://notes.example.com"


class Tunnels:
    """Stands for a vantage: the near end of the tunnel to each port is that port of the loopback."""

    def tunnel(self, _host: str, port: int) -> Any:
        return SimpleNamespace(address=("127.0.0.1", port))


def routes(cluster: Cluster, *, vantage: bool = True, **stated: Any) -> TargetRoutes:
    it = deployed(cluster, **stated)
    users = at_url(it) if it.stated.url else in_cluster(it)
    return TargetRoutes(it, users, cast("Vantage", Tunnels()) if vantage else None)


def test_users_come_by_the_url_and_others_inside_the_cluster() -> None:
    found = routes(Cluster(), url=URL)
    assert found.of(["ingress", "service", "pod"]) == ("ingress", "service", "pod")
    assert [str(found.way(name)) for name in ("ingress", "service", "pod")] == [
        URL,
        "http://notes.notes.svc:80",
        "http://10.0.0.7:8080",
    ]


def test_without_a_url_users_come_by_the_service() -> None:
    found = routes(Cluster())
    assert found.of(["ingress", "service", "pod"]) == ("service", "pod")
    assert found.way("ingress").name == "service"


def test_without_a_vantage_only_the_users_way_is_there() -> None:
    found = routes(Cluster(), vantage=False, url=URL)
    assert found.of(["ingress", "service", "pod"]) == ("ingress",)
    for ask in (lambda: found.of(["service"]), lambda: found.way("pod"), found.ports):
        with pytest.raises(LookupError):
            ask()


def test_a_headless_service_leads_to_the_port_of_its_pods() -> None:
    cluster = Cluster()
    cluster.one("Service")["spec"]["clusterIP"] = "None"
    assert str(routes(cluster).way("service")) == "http://notes.notes.svc:8080"


def test_every_port_of_the_pod_is_tried_that_may_be_open() -> None:
    assert sorted(routes(Cluster()).ports()) == [8000, 8080], "that of the proxy, and Chroma's usual one"


def test_a_pod_without_an_address_is_told() -> None:
    cluster = Cluster()
    del cluster.one("Pod", "notes-1")["status"]["podIP"]
    with pytest.raises(LookupError, match="pod notes-1 has no address"):
        routes(cluster).way("pod")
