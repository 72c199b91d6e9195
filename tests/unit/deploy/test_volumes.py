"""A volume that its platform keeps is no fault of a release, and is named with where its data lies and how it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from support.deploy import removal, volumes
from support.kube.discovery import Contents
from support.kube.errors import ApiError
from support.kube.labels import ownership

if TYPE_CHECKING:
    from support.kube.client import Kube


def volume(
    name: str, policy: str | None, claimed: str = "chroma", claim: str = "u1", **source: Any
) -> dict[str, Any]:
    spec = {"claimRef": {"namespace": claimed, "uid": claim}, **source}
    spec |= {"persistentVolumeReclaimPolicy": policy} if policy else {}
    return {"kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}


class Cluster:
    def __init__(self, *there: dict[str, Any], closed: bool = False) -> None:
        self.there = there
        self.closed = closed

    def list(self, kind: str, _namespace: str | None = None, labels: object = None) -> list[dict[str, Any]]:
        del labels
        if self.closed:
            raise ApiError(403, "Forbidden", "you may not look")
        return [obj for obj in self.there if obj["kind"] == kind]

    def get(self, kind: str, name: str, _namespace: str | None = None) -> dict[str, Any] | None:
        return next((obj for obj in self.list(kind) if obj["metadata"]["name"] == name), None)

    def everything(self, _namespace: str) -> Contents:
        return Contents([], ())


CLAIM = {
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data", "uid": "u1"},
    "spec": {"volumeName": "a"},
}


@pytest.mark.parametrize(
    ("policy", "kept"), [("Retain", True), ("Delete", False), ("Recycle", True), (None, True)]
)
def test_what_is_not_deleted_with_its_claim_is_kept(policy: str | None, kept: bool) -> None:
    found = volumes.kept(cast("Kube", Cluster(volume("a", policy))), [CLAIM])
    assert bool(found) is kept


def test_a_cluster_that_shows_no_volumes_is_no_error() -> None:
    closed = cast("Kube", Cluster(closed=True))
    assert volumes.kept(closed, [CLAIM]) == []
    assert removal.left_by(closed, "chroma-1-") == []


@pytest.mark.parametrize(
    ("source", "where"),
    [
        ({"hostPath": {"path": "/data/a"}}, "at /data/a"),
        ({"csi": {"driver": "ebs", "volumeHandle": "vol-1"}}, "at ebs vol-1"),
        ({"nfs": {"server": "filer", "path": "/a"}}, "at filer /a"),
        ({"unheard": {}}, "where `kubectl describe pv a` says"),
    ],
)
def test_a_kept_volume_is_told_with_where_its_data_lies_and_the_command(
    source: dict[str, Any], where: str
) -> None:
    told = volumes.described(volume("a", "Retain", **source))
    assert where in told
    assert "`kubectl delete pv a`" in told


def test_kept_volumes_of_throw_away_namespaces_are_told_in_a_line_with_their_number() -> None:
    there = (
        volume("a", "Retain", "chroma-1-1"),
        volume("b", "Retain", "chroma-1-2"),
        volume("c", "Delete", "chroma-1-3"),
    )
    (line,) = removal.left_by(cast("Kube", Cluster(*there, volume("d", "Retain", "chroma"))), "chroma-1-")
    assert ": 2; `kubectl delete pv a b`" in line


def test_a_namespace_on_its_way_out_is_told() -> None:
    namespace = {"kind": "Namespace", "metadata": {"name": "chroma-1-1", "labels": ownership("1")}}
    (line,) = removal.left_by(cast("Kube", Cluster(namespace)), "chroma-1-")
    assert "`kubectl get namespaces chroma-1-1`" in line


def test_a_kept_volume_of_a_claim_that_is_gone_is_no_trace_of_a_release() -> None:
    gone, bound = volume("a", "Retain", claim="before"), volume("b", "Retain", claim="u1")
    failing = volume("c", "Delete", claim="before")
    found = removal.traces(cast("Kube", Cluster(CLAIM, gone, bound, failing)), "chroma")
    assert found == [("PersistentVolume", "b"), ("PersistentVolume", "c")]
