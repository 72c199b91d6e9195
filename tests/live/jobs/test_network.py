"""The NetworkPolicy that comes with the rights lets the suite's pod reach what it needs, and no other pod."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cluster import layout
from support.jobs.job import NAME
from tests.live.cluster.place import PORT, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.live.jobs.inside import Inside


@pytest.fixture(scope="module")
def place(inside: Inside) -> Iterator[Place]:
    """The suite's namespace, with a pod that has the labels of a Job's, and a neighbour that has not."""
    place = Place(inside.kube, NAME, inside.stated["vantage_image"])
    place.pod("suite", ["serve"], labels={"app.kubernetes.io/name": NAME})
    place.pod("neighbour", ["serve"])
    place.ready("suite", "neighbour")
    # Rules are written a moment after a pod has begun.
    place.run_until("suite", "dial", address_of(place, "neighbour"), succeeds=False)
    yield place
    for pod in ("suite", "neighbour"):
        place.kube.delete("Pod", pod, NAME, grace=0)


def address_of(place: Place, pod: str, namespace: str = NAME, port: int = PORT) -> str:
    found = place.kube.get("Pod", pod, namespace)
    assert found is not None
    return f"{found['status']['podIP']}:{port}"


def test_the_suites_pod_asks_the_clusters_dns(place: Place) -> None:
    found = place.run_until("suite", "lookup", "kubernetes.default.svc.cluster.local")
    assert found.stdout.split() == [layout.API_SERVICE_ADDRESS]


@pytest.mark.parametrize(
    "target",
    [
        f"{layout.API_SERVICE_ADDRESS}:443",
        f"{layout.INGRESS_ADDRESS}:{layout.HTTPS_PORT}",
        f"{layout.INGRESS_ADDRESS}:{layout.HTTP_PORT}",
    ],
    ids=["API server", "ingress", "ingress without TLS"],
)
def test_the_suites_pod_reaches(place: Place, target: str) -> None:
    assert place.run_until("suite", "dial", target).code == 0


def test_the_suites_pod_reaches_no_pod_of_the_release(place: Place) -> None:
    chroma = address_of(place, "chroma-0", "chroma", 8000)
    assert place.run("neighbour", "dial", chroma).code == 0
    denied = place.run("suite", "dial", chroma)
    assert "refused" in denied.stderr or "timeout" in denied.stderr, denied


def test_the_suites_pod_is_reached_by_nobody(place: Place) -> None:
    denied = place.run("neighbour", "dial", address_of(place, "suite"))
    assert "refused" in denied.stderr or "timeout" in denied.stderr, denied
