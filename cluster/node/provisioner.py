"""Provisions the claims of the cluster's storage class: makes, grows and removes their volumes."""

from __future__ import annotations

import http.client
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster import layout
from cluster.layout import Layout
from cluster.node.api import Api, ApiError
from cluster.node.volumes import VolumeError, Volumes

if TYPE_CHECKING:
    from collections.abc import Iterator

PROVISIONER = "cluster/provisioner"
_CLAIMS = "/api/v1/persistentvolumeclaims"
_VOLUMES = "/api/v1/persistentvolumes"
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_SELECTED_NODE = "volume.kubernetes.io/selected-node"
_SUFFIXES = {
    suffix: Decimal(1000) ** power for power, suffix in enumerate(("m", "", "k", "M", "G", "T", "P", "E"), -1)
} | {suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
# Seconds until something that failed is tried again.
_PAUSE = 1.0

Object = dict[str, Any]


def quantity(text: str) -> int:
    """Bytes of a Kubernetes quantity such as 1Gi, 500M, 1.5Gi or 1e9; raises ValueError."""
    number = text.rstrip("".join({letter for suffix in _SUFFIXES for letter in suffix}))
    suffix = text[len(number) :]
    if suffix not in _SUFFIXES:
        raise ValueError(f"not a quantity: {text!r}")
    return int(Decimal(number) * _SUFFIXES[suffix])


class Provisioner:
    """Compares claims with volumes, whenever either has changed, and does what is missing."""

    def __init__(self, files: Layout) -> None:
        self._files = files
        self._api = Api(files.pki, "provisioner")
        self._volumes = Volumes(files.volumes)
        self._changed = threading.Event()
        self._complaints: dict[str, str] = {}

    def run(self) -> None:
        """Work for ever."""
        for path in (_CLAIMS, _VOLUMES):
            threading.Thread(target=self._listen, args=(path,), daemon=True).start()
        while True:
            self._changed.wait()
            self._changed.clear()
            try:
                content = self.reconcile()
            except (ApiError, OSError, http.client.HTTPException):
                content = False
            if not content:
                time.sleep(_PAUSE)
                self._changed.set()

    def reconcile(self) -> bool:
        """Look at all claims and volumes once; False when something failed that is to be tried again."""
        classes = {
            one["metadata"]["name"]: one for one in self._list(_CLASSES) if one["provisioner"] == PROVISIONER
        }
        volumes = {one["metadata"]["name"]: one for one in self._list(_VOLUMES)}
        content = True
        for claim in self._list(_CLAIMS):
            storage_class = classes.get(claim["spec"].get("storageClassName", ""))
            if storage_class is None or "deletionTimestamp" in claim["metadata"]:
                continue
            volume = volumes.get(f"pvc-{claim['metadata']['uid']}")
            try:
                if volume is None:
                    self._provide(claim, storage_class)
                elif claim["status"]["phase"] == "Bound":
                    self._grow(claim, volume)
            except (VolumeError, ValueError, OSError) as error:
                self._complain(claim, str(error))
                content = False
        for volume in volumes.values():
            try:
                self._reclaim(volume)
            except VolumeError:
                content = False
        return content

    def _provide(self, claim: Object, storage_class: Object) -> None:
        metadata, spec = claim["metadata"], claim["spec"]
        waits = storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"
        selected = metadata.get("annotations", {}).get(_SELECTED_NODE)
        if spec.get("volumeName") or (waits and selected is None):
            return
        if spec.get("volumeMode") == "Block":
            raise ValueError("volumes of mode Block are not supported")
        request = spec["resources"]["requests"]["storage"]
        name = f"pvc-{metadata['uid']}"
        data = self._volumes.make(name, quantity(request))
        reference = {key: metadata[key] for key in ("namespace", "name", "uid")}
        hostname = {"key": "kubernetes.io/hostname", "operator": "In", "values": [layout.NODE]}
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": {_PROVISIONED_BY: PROVISIONER}},
            "spec": {
                "capacity": {"storage": request},
                "accessModes": spec["accessModes"],
                "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
                "storageClassName": storage_class["metadata"]["name"],
                "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **reference},
                "local": {"path": str(data)},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [hostname]}]}},
            },
        }
        self._api.create(_VOLUMES, volume)

    def _grow(self, claim: Object, volume: Object) -> None:
        request = claim["spec"]["resources"]["requests"]["storage"]
        capacity = volume["spec"]["capacity"]["storage"]
        name = volume["metadata"]["name"]
        if quantity(request) > quantity(capacity):
            self._volumes.grow(name, quantity(capacity), quantity(request))
            self._api.merge(f"{_VOLUMES}/{name}", {"spec": {"capacity": {"storage": request}}})
        elif quantity(claim["status"]["capacity"]["storage"]) >= quantity(capacity):
            return
        metadata = claim["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/persistentvolumeclaims/{metadata['name']}/status"
        self._api.merge(path, {"status": {"capacity": {"storage": request}, "conditions": []}})

    def _reclaim(self, volume: Object) -> None:
        metadata = volume["metadata"]
        if (
            metadata.get("annotations", {}).get(_PROVISIONED_BY) == PROVISIONER
            and volume["status"].get("phase") == "Released"
            and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
        ):
            self._volumes.remove(metadata["name"])
            self._api.delete(f"{_VOLUMES}/{metadata['name']}")

    def _complain(self, claim: Object, message: str) -> None:
        """Say in an event of the claim what is wrong with it, once."""
        metadata = claim["metadata"]
        if self._complaints.get(metadata["uid"]) == message:
            return
        self._complaints[metadata["uid"]] = message
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        reference = {key: metadata[key] for key in ("namespace", "name", "uid", "resourceVersion")}
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{metadata['name']}.", "namespace": metadata["namespace"]},
            "involvedObject": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **reference},
            "type": "Warning",
            "reason": "ProvisioningFailed",
            "message": message,
            "source": {"component": PROVISIONER},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        self._api.create(f"/api/v1/namespaces/{metadata['namespace']}/events", event)

    def _list(self, path: str) -> Iterator[Object]:
        listed = self._api.get(path) or {}
        yield from listed.get("items", [])

    def _listen(self, path: str) -> None:
        api = Api(self._files.pki, "provisioner")
        while True:
            try:
                for _ in api.watch(path):
                    self._changed.set()
            except (ApiError, OSError, http.client.HTTPException):
                time.sleep(_PAUSE)


if __name__ == "__main__":
    Provisioner(Layout(Path(sys.argv[1]))).run()
