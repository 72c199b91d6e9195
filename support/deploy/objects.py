"""Answers questions about the objects of a release before any of them is applied; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.kube.objects import Key, key

if TYPE_CHECKING:
    from support.kube.objects import Object, Objects


# How the names of pods that only pull end, before what the API server adds.
_PULLS: Final = "-pull-"


# What tells the platform of a release.
ANNOUNCEMENT: Key = ("ConfigMap", "thinkube-service-config")


def is_claim(obj: Object) -> bool:
    """Whether an object is a claim, which holds data."""
    return bool(obj["kind"] == "PersistentVolumeClaim")


def is_announcement(obj: Object) -> bool:
    """Whether an object tells the platform of the release."""
    return key(obj) == ANNOUNCEMENT


def is_bound(claim: Object) -> bool:
    """Whether a claim has its volume."""
    return bool(claim.get("status", {}).get("phase") == "Bound")


@dataclass(frozen=True)
class Waves:
    """The objects of a release in the order in which they are applied; those of one wave at once."""

    namespaces: Objects
    # Every Service is among them: one that comes after the pod would change the environment of the next pod.
    prerequisites: Objects
    workload: Objects  # makes the pod
    # Only what is live is announced.
    announcements: Objects


def waves(objects: Objects) -> Waves:
    """Sort objects into waves."""
    first = [obj for obj in objects if obj["kind"] == "Namespace"]
    workload = [obj for obj in objects if obj["kind"] == "StatefulSet"]
    last = [obj for obj in objects if is_announcement(obj)]
    prerequisites = [obj for obj in objects if obj not in first and obj not in workload and obj not in last]
    return Waves(first, prerequisites, workload, last)


def dry_run_pod(statefulset: Object) -> Object:
    """Return the pod that a StatefulSet would make, under a name of its own: to be created in a dry run."""
    template = statefulset["spec"]["template"]
    metadata = {
        **template.get("metadata", {}),
        "name": f"{statefulset['metadata']['name']}-dry-run",
        "namespace": statefulset["metadata"]["namespace"],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def images(statefulset: Object) -> set[str]:
    """Return the names of the images that a StatefulSet's pod runs."""
    return {container["image"] for container in _containers(statefulset)}


def prepull_pod(statefulset: Object) -> Object:
    """Return a pod that pulls the images of a StatefulSet's pod where that would come, and runs none of them.

    The kubelet pulls a container's image before it looks for the values of its variables, of which one is nowhere.
    No Service and no StatefulSet takes the pod for one of its own.
    """
    template, name = statefulset["spec"]["template"], statefulset["metadata"]["name"]
    nowhere = {"configMapKeyRef": {"name": f"{name}-nowhere", "key": "nothing"}}
    labels = (
        template["metadata"].get("labels", {}).items()
        - statefulset["spec"]["selector"]["matchLabels"].items()
    )
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{name}{_PULLS}",
            "namespace": statefulset["metadata"]["namespace"],
            "labels": dict(labels),
        },
        "spec": {
            **{field: value for field, value in template["spec"].items() if field in _PULLING},
            "automountServiceAccountToken": False,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    **{field: value for field, value in container.items() if field in _PULLED},
                    "env": [{"name": "NOTHING", "valueFrom": nowhere}],
                    # As little as a quota or a limit of the namespace can ask for.
                    "resources": {
                        "requests": {"cpu": "1m", "memory": "1Mi"},
                        "limits": {"cpu": "10m", "memory": "16Mi"},
                    },
                }
                for container in _containers(statefulset)
            ],
        },
    }


def is_prepull_pod(obj: Object) -> bool:
    """Whether an object is a pod that only pulls."""
    return bool(obj["kind"] == "Pod" and str(obj["metadata"].get("generateName", "")).endswith(_PULLS))


# What decides where a pod comes, whether it is admitted, and with which rights it pulls; and the same of a container.
_PULLING: Final = {
    "affinity",
    "imagePullSecrets",
    "nodeSelector",
    "priorityClassName",
    "securityContext",
    "serviceAccountName",
    "tolerations",
}
_PULLED: Final = {"name", "image", "imagePullPolicy", "securityContext"}


def _containers(statefulset: Object) -> Objects:
    spec = statefulset["spec"]["template"]["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def claim_names(statefulset: Object) -> set[str]:
    """Return the names of the claims that a StatefulSet's pod mounts."""
    volumes = statefulset["spec"]["template"]["spec"].get("volumes", [])
    return {
        volume["persistentVolumeClaim"]["claimName"]
        for volume in volumes
        if "persistentVolumeClaim" in volume
    }
