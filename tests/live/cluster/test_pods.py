"""Pods run, answer, and are told apart by how they end and by what they ask for."""

from __future__ import annotations

import http.client
import stat
from base64 import b64encode
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from cluster import layout
from support.kube.errors import ApiError
from tests.live.cluster.place import PATIENCE, PORT, RESTRICTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from cluster.provider import Access
    from support.kube.objects import Object
    from tests.live.cluster.place import Place

# Seconds until a pod whose image does not exist says so; later, a release could not be refused within three.
SOON = 10.0


@pytest.fixture(scope="module")
def house(opened: Callable[..., AbstractContextManager[Place]]) -> Iterator[Place]:
    """A namespace with one pod, `server`, that is Ready."""
    with opened() as place:
        place.pod("server", ["serve"])
        place.ready("server")
        yield place


@pytest.fixture(scope="module")
def strict(opened: Callable[..., AbstractContextManager[Place]]) -> Iterator[Place]:
    """A namespace that enforces the restricted standard of Pod Security."""
    with opened({"pod-security.kubernetes.io/enforce": "restricted"}) as place:
        yield place


def _terminated(pod: Object) -> Object | None:
    """Give how the container ended before it was started again, or for good."""
    for status in pod.get("status", {}).get("containerStatuses", []):
        for state in (status["lastState"], status["state"]):
            if "terminated" in state:
                ended: Object = state["terminated"]
                return ended
    return None


def _not_pulled(pod: Object) -> str | None:
    """Give why the image cannot be pulled, once an attempt has failed."""
    for status in pod.get("status", {}).get("containerStatuses", []):
        waiting = status["state"].get("waiting", {})
        if waiting.get("reason") in {"ErrImagePull", "ImagePullBackOff"}:
            return str(waiting["message"])
    return None


def test_a_command_in_a_pod_tells_what_it_says(house: Place) -> None:
    assert "127.0.0.1" in house.run("server", "lookup", "localhost").stdout.split()


def test_a_command_in_a_pod_tells_how_it_ended(house: Place) -> None:
    done = house.run("server", "dial", "127.0.0.1:1")
    assert (done.code, "connection refused" in done.stderr) == (1, True), done


def test_the_log_of_a_pod_is_what_it_wrote(house: Place) -> None:
    house.pod("writer", ["fill", "/dev/null", "1234"])
    house.until("Pod", "writer", _terminated, "a command that ends")
    assert "wrote 1234 bytes" in house.kube.logs(house.name, "writer", "probe")


def test_a_forwarded_port_leads_to_the_pod(house: Place) -> None:
    connection = http.client.HTTPConnection("pod", timeout=PATIENCE)
    connection.sock = house.kube.forward(house.name, "server", PORT)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"server\n")
    finally:
        connection.close()


def test_an_image_is_pulled_from_the_registry(place: Place, cluster: Access) -> None:
    library = "{harbor_registry}/{library_project}".format_map(cluster.inventory)
    place.pod("pulled", container={"image": f"{library}/pulled:1"})
    place.ready("pulled")
    assert place.run("pulled", "find", "/pulled", "came from the registry").stdout == "/pulled/note\n"


@pytest.mark.parametrize("shown", [None, "owner:nobody-knows"])
@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
def test_only_the_owner_of_the_cluster_pushes_images(cluster: Access, method: str, shown: str | None) -> None:
    library = cluster.inventory["library_project"]
    assert _ask_registry(cluster, method, f"{library}/pulled/manifests/1", shown) == 401
    assert _ask_registry(cluster, "GET", f"{library}/pulled/manifests/1") == 200
    owner = cluster.kubeconfig.with_name("registry-credentials")
    assert stat.S_IMODE(owner.stat().st_mode) == 0o600
    assert _ask_registry(cluster, "POST", f"{library}/own/blobs/uploads/", owner.read_text().strip()) == 202


def _ask_registry(cluster: Access, method: str, path: str, shown: str | None = None) -> int:
    """Ask the registry, from outside as from a pod, and return the status."""
    headers = {"Authorization": f"Basic {b64encode(shown.encode()).decode()}"} if shown else {}
    connection = HTTPConnection(cluster.inventory["ingress_address"], layout.REGISTRY_PORT, timeout=PATIENCE)
    try:
        connection.request(method, f"/v2/{path}", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_an_image_that_does_not_exist_is_told_soon(place: Place, cluster: Access) -> None:
    library = "{harbor_registry}/{library_project}".format_map(cluster.inventory)
    place.pod("pulled", container={"image": f"{library}/pulled:none"})
    said = place.until("Pod", "pulled", _not_pulled, "that its image cannot be pulled", SOON)
    assert f"{library}/pulled:none: not found" in said


def test_a_pod_that_takes_too_much_memory_is_killed_for_it(place: Place) -> None:
    place.pod(
        "glutton",
        ["eat", str(256 << 20)],
        container={"resources": {"limits": {"memory": "32Mi"}}},
        spec={"restartPolicy": "Always"},
    )
    ended = place.until("Pod", "glutton", _terminated, "an end for want of memory")
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_a_pod_within_its_memory_lives(place: Place) -> None:
    place.pod("modest", ["eat", str(32 << 20)], container={"resources": {"limits": {"memory": "64Mi"}}})
    place.ready("modest")
    assert place.run_until("modest", "lookup", "localhost").code == 0


def test_a_restricted_pod_starts_where_that_is_enforced(strict: Place) -> None:
    strict.pod("restricted")
    strict.ready("restricted")


@pytest.mark.parametrize(
    ("container", "spec", "named"),
    [
        pytest.param({"securityContext": {"privileged": True}}, {}, "privileged", id="privileged"),
        pytest.param({}, {"hostNetwork": True}, "host namespaces", id="the node's network"),
        pytest.param(
            {"securityContext": RESTRICTED | {"capabilities": {}}}, {}, "capabilities", id="capabilities"
        ),
        pytest.param(
            {}, {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}, "hostPath", id="hostPath"
        ),
    ],
)
def test_a_pod_beyond_that_is_refused_where_it_is_enforced(
    strict: Place, container: Object, spec: Object, named: str
) -> None:
    with pytest.raises(ApiError, match=f"violates PodSecurity.*{named}") as refusal:
        strict.pod("unrestricted", container=container, spec=spec)
    assert refusal.value.status == 403


def test_a_privileged_pod_starts_where_nothing_is_enforced(place: Place) -> None:
    place.pod("privileged", container={"securityContext": {"privileged": True}})
    place.ready("privileged")
