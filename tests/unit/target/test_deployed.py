"""A deployment is seen as its cluster shows it, whatever its objects are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from support.target.deployed import Deployed, selects
from support.target.description import Description
from tests.unit.target.cluster import Cluster
from tests.unit.target.test_description import SMALLEST

if TYPE_CHECKING:
    from support.kube.objects import Object


def deployed(cluster: Cluster, **stated: Any) -> Deployed:
    return Deployed(cast("Any", cluster), Description.model_validate({**SMALLEST, **stated}))


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def test_its_pod_is_found_by_the_selector_and_its_port_by_the_service(cluster: Cluster) -> None:
    it = deployed(cluster)
    pod = it.pod()
    assert pod["metadata"]["name"] == "notes-1"
    assert it.port_at_pod(pod, it.stated.services[0]) == 8080
    cluster.one("Service")["spec"]["ports"][0]["targetPort"] = 8000
    assert it.port_at_pod(pod, it.stated.services[0]) == 8000


def test_a_pod_that_is_not_ready_or_on_its_way_out_is_none(cluster: Cluster) -> None:
    cluster.one("Pod", "notes-1")["metadata"]["deletionTimestamp"] = "2026-11-27T00:00:00Z"
    with pytest.raises(LookupError, match="no pod of Deployment notes/notes is ready"):
        deployed(cluster).pod()


@pytest.mark.parametrize(
    ("selector", "taken"),
    [
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "2"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}, True),
        ({"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]}, False),
    ],
)
def test_a_selector_is_followed(selector: Object, taken: bool) -> None:
    workload: Object = {"spec": {"selector": selector}}
    assert selects(workload, {"metadata": {"labels": {"a": "1"}}}) is taken


def test_what_is_rolled_out_stands_well(cluster: Cluster) -> None:
    assert deployed(cluster).standstill() == ""


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ({"readyReplicas": 0}, "0 of 1 pods are ready"),
        ({"updatedReplicas": 0}, "pods of the revision before are still there"),
        ({"replicas": 2}, "pods of the revision before are still there"),
        ({"observedGeneration": 2}, "its last change has not been seen yet"),
        ({"currentRevision": "a", "updateRevision": "b"}, "pods of the revision before"),
    ],
)
def test_what_is_not_rolled_out_is_told_with_its_pods(cluster: Cluster, status: Object, told: str) -> None:
    cluster.one("Deployment")["status"].update(status)
    pod = cluster.one("Pod", "notes-1")
    pod["status"] = {
        "containerStatuses": [{"name": "server", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]
    }
    why = deployed(cluster).standstill()
    assert why.startswith(f"Deployment notes/notes is not rolled out: {told}")
    assert why.endswith("pod notes-1: ImagePullBackOff")


def test_what_is_scaled_to_0_is_told(cluster: Cluster) -> None:
    cluster.one("Deployment")["spec"]["replicas"] = 0
    assert "it is scaled to 0" in deployed(cluster).standstill()


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("chromadb/chroma:1.5.9", "1.5.9"),
        ("chromadb/chroma:latest", ""),
        ("chromadb/chroma:1.0.0@sha256:0", "1.0.0"),
    ],
)
def test_its_version_is_that_of_the_image(cluster: Cluster, image: str, version: str) -> None:
    containers = cluster.one("Deployment")["spec"]["template"]["spec"]["containers"]
    containers[1]["image"] = image
    assert deployed(cluster).version() == version
    containers[1]["image"] = image.replace("chromadb/chroma", "vectors")
    workload = {**SMALLEST["workload"], "container": "server"}
    assert deployed(cluster).version() == ""
    assert deployed(cluster, workload=workload).version() == version


def test_a_change_shows(cluster: Cluster) -> None:
    it = deployed(cluster)
    before = it.state()
    assert it.state() == before
    cluster.one("Deployment")["metadata"]["generation"] += 1
    cluster.one("Pod", "notes-1")["status"]["containerStatuses"] = [{"restartCount": 1}]
    assert {name for name, now in it.state().items() if before[name] != now} == {
        "Deployment notes",
        "Pod notes-1",
    }
