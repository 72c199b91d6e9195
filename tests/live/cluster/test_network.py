"""Pods find and reach each other as policies allow, and nothing beyond the cluster."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.traces import Process
from tests.live.cluster.place import PORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.live.cluster.place import Place


@pytest.fixture(scope="module")
def street(opened: Callable[..., AbstractContextManager[Place]]) -> Iterator[Place]:
    """Servers web-0, web-1 and guarded, the Services `web` and `peers` (headless), a friend and a stranger."""
    with opened() as place:
        place.service("web", "web")
        place.service("peers", "web", clusterIP="None")
        for name in ("web-0", "web-1"):
            place.pod(name, ["serve"], labels={"app": "web"}, spec={"hostname": name, "subdomain": "peers"})
        place.pod("guarded", ["serve"], labels={"app": "guarded"})
        place.pod("friend", labels={"friend": "yes"})
        place.pod("stranger")
        place.ready("web-0", "web-1", "guarded", "friend", "stranger")
        yield place


@pytest.fixture(scope="module")
def intruder(opened: Callable[..., AbstractContextManager[Place]]) -> Iterator[Place]:
    """A pod that may do anything, is root, and has the node's files at /host."""
    with opened() as place:
        place.pod(
            "intruder",
            container={
                "securityContext": {"privileged": True, "runAsUser": 0},
                "volumeMounts": [{"name": "host", "mountPath": "/host"}],
            },
            spec={"volumes": [{"name": "host", "hostPath": {"path": "/"}}], "securityContext": {}},
        )
        place.ready("intruder")
        yield place


@contextmanager
def friends_only(street: Place) -> Iterator[str]:
    """Let only friends reach the guarded pod; gives its address with its port."""
    selected = {"matchLabels": {"friend": "yes"}}
    policy = {
        "podSelector": {"matchLabels": {"app": "guarded"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": selected}]}],
    }
    street.apply("NetworkPolicy", "friends-only", {"spec": policy})
    try:
        yield address_of(street, "guarded")
    finally:
        street.kube.delete("NetworkPolicy", "friends-only", street.name)


def address_of(street: Place, pod: str) -> str:
    found = street.kube.get("Pod", pod, street.name)
    assert found is not None
    return f"{found['status']['podIP']}:{PORT}"


def addresses_of(street: Place, *pods: str) -> set[str]:
    return {address_of(street, pod).removesuffix(f":{PORT}") for pod in pods}


def test_a_service_leads_to_its_pods_by_address(street: Place) -> None:
    service = street.kube.get("Service", "web", street.name)
    assert service is not None
    answer = street.run_until("stranger", "get", f"http://{service['spec']['clusterIP']}/").stdout
    assert answer.split()[-1] in {"web-0", "web-1"}


def test_a_service_leads_to_its_pods_by_name(street: Place) -> None:
    answer = street.run_until("stranger", "get", f"http://web.{street.name}/").stdout
    assert answer.split()[-1] in {"web-0", "web-1"}


def test_a_service_leads_to_each_of_its_pods(street: Place) -> None:
    street.run_until("stranger", "get", f"http://web.{street.name}/")
    # Each is chosen by chance: that 30 choices fall on one and the same happens once in 500 million runs.
    seen = {street.run("stranger", "get", f"http://web.{street.name}/").stdout.split()[-1] for _ in range(30)}
    assert seen == {"web-0", "web-1"}


def test_a_headless_service_names_every_pod(street: Place) -> None:
    answer = street.run_until("stranger", "lookup", f"peers.{street.name}.svc.cluster.local")
    assert set(answer.stdout.split()) == addresses_of(street, "web-0", "web-1")


def test_a_headless_service_gives_a_pod_its_own_name(street: Place) -> None:
    answer = street.run_until("stranger", "lookup", f"web-1.peers.{street.name}.svc.cluster.local")
    assert set(answer.stdout.split()) == addresses_of(street, "web-1")


def test_names_beyond_the_cluster_do_not_exist(street: Place) -> None:
    done = street.run("stranger", "lookup", "example.org.")
    assert (done.code, "no such host" in done.stderr) == (1, True), done


def test_without_a_policy_every_pod_is_reached(street: Place) -> None:
    assert street.run_until("stranger", "dial", address_of(street, "guarded")).code == 0


def test_a_policy_denies_strangers(street: Place) -> None:
    with friends_only(street) as guarded:
        denied = street.run_until("stranger", "dial", guarded, succeeds=False)
    assert "refused" in denied.stderr or "timeout" in denied.stderr


def test_a_policy_allows_friends(street: Place) -> None:
    with friends_only(street) as guarded:
        street.run_until("stranger", "dial", guarded, succeeds=False)
        allowed = street.run("friend", "dial", guarded)
    assert allowed.code == 0, allowed


def test_a_policy_says_nothing_of_other_pods(street: Place) -> None:
    with friends_only(street) as guarded:
        street.run_until("stranger", "dial", guarded, succeeds=False)
        other = street.run("stranger", "dial", address_of(street, "web-0"))
    assert other.code == 0, other


def test_a_policy_that_is_gone_denies_nobody(street: Place) -> None:
    with friends_only(street) as guarded:
        street.run_until("stranger", "dial", guarded, succeeds=False)
    assert street.run_until("stranger", "dial", guarded).code == 0


def test_no_packet_leaves_the_node(place: Place) -> None:
    # All packets of pods go through the node. The address is one for documentation (RFC 5737).
    place.pod("node", spec={"hostNetwork": True})
    place.ready("node")
    done = place.run("node", "dial", "198.51.100.1:443")
    assert "network is unreachable" in done.stderr, done


def test_a_privileged_pod_has_no_way_beside_the_network(intruder: Place) -> None:
    # Sockets to the hypervisor know no namespaces: a filter that all inherit from the node refuses them.
    pod = intruder.kube.get("Pod", "intruder", intruder.name)
    assert pod is not None
    processes = [
        one.pid for one in Process.all() if pod["metadata"]["uid"] in one.groups and "/probe" in one.words
    ]
    filters = [
        re.findall(r"Seccomp_filters:\t(\d+)", Path(f"/proc/{pid}/status").read_text()) for pid in processes
    ]
    assert filters == [["1"]]


def test_a_privileged_pod_cannot_write_to_the_machine(intruder: Place) -> None:
    done = intruder.run("intruder", "fill", "/host/etc/written-by-a-pod", "1")
    assert "read-only file system" in done.stdout, done
