"""Pods of the probe image, and the throw-away namespaces that hold them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from support.core.wait import wait_for
from support.kube.containers import own, phase
from support.kube.errors import ApiError
from support.kube.labels import ownership

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from support.core.wait import Deadlines
    from support.kube.client import Kube
    from support.kube.objects import Object

# The one container of such a pod that is the suite's: others may put more there.
CONTAINER: Final = "probe"


def namespace(name: str, run_id: str, level: str = "restricted") -> Object:
    """Make a throw-away namespace; `level` is the Pod Security Standard that it enforces."""
    labels = {**ownership(run_id), "pod-security.kubernetes.io/enforce": level}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def pod(name: str, where: str, run_id: str, image: str, arguments: Sequence[str], **spec: Any) -> Object:
    """Make a pod in the namespace `where` that runs the probe with these arguments, restricted and without rights.

    `spec` adds to the pod's specification, or replaces parts of it; `mounts` are the container's.
    """
    container = {
        "name": CONTAINER,
        "image": image,
        "args": list(arguments),
        "volumeMounts": spec.pop("mounts", []),
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": where, "labels": ownership(run_id)},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
            **spec,
        },
    }


def start(kube: Kube, pod: Object, deadlines: Deadlines) -> None:
    """Ask for a pod; a new namespace refuses every one until it has been given its service account."""
    where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    wait_for(partial(kube.create, pod), deadlines.namespace, lambda: f"pod {where} not accepted", (ApiError,))


def wait_for_phase(kube: Kube, pod: Object, phases: Collection[str], deadlines: Deadlines) -> str:
    """Wait until a pod is in one of some phases ("Running", "Succeeded", …), and return that phase.

    `pod` is the pod as it was asked for: with its own container it has ended, whatever else was put into it.
    """
    name, where = pod["metadata"]["name"], pod["metadata"]["namespace"]

    def now() -> Object:
        return own(kube.get("Pod", name, where) or {}, pod)

    def reached() -> str | None:
        reached = phase(now())
        return reached if reached in phases else None

    return wait_for(
        reached,
        deadlines.live,
        lambda: f"pod {where}/{name} not {' or '.join(phases)}: {now().get('status')}",
    )


def is_there(kube: Kube, name: str) -> bool:
    """Whether a namespace is there; where we may not look, it was named as one that is, and we may still look into it."""
    try:
        return kube.get("Namespace", name) is not None
    except ApiError as error:
        if error.unanswered:
            raise
        return True
