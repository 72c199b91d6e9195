"""Says of an object that is being deleted since when, what holds it, and what can be done; pure."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.kube.objects import Object

# Finalizers that Kubernetes removes by itself once what they protect is no longer used.
_CLAIM_IN_USE: Final = "kubernetes.io/pvc-protection"
_VOLUME_IN_USE: Final = "kubernetes.io/pv-protection"
_DEPENDENTS: Final = "foregroundDeletion"
_BY_KUBERNETES: Final = {
    _CLAIM_IN_USE: "the pods that mount it",
    _VOLUME_IN_USE: "the claim that is bound to it",
    _DEPENDENTS: "the objects that it owns",
}
# The conditions by which a namespace says why it is still there; of the others it says that all is well.
_NAMESPACE_HELD: Final = "True"


def is_ending(obj: Object) -> bool:
    """Whether an object is being deleted, which nothing can undo."""
    return "deletionTimestamp" in obj["metadata"]


def since(obj: Object) -> str:
    """Return when the deletion was asked for (RFC 3339): its timestamp says when a pod's grace period is over."""
    metadata = obj["metadata"]
    over = _time(metadata["deletionTimestamp"])
    return _written(over - dt.timedelta(seconds=metadata.get("deletionGracePeriodSeconds") or 0))


def grace_left(obj: Object, now: dt.datetime) -> float:
    """Return the seconds that an object that is being deleted has left to end by itself, 0 when they have passed.

    Where the containers of a pod have ended, and somebody has still to remove a finalizer, no grace is used any more.
    """
    if finalizers(obj) and _has_ended(obj):
        return 0.0
    return max(0.0, (_time(obj["metadata"]["deletionTimestamp"]) - now).total_seconds())


def finalizers(obj: Object) -> list[str]:
    """Return the finalizers that somebody has to remove before an object goes; Kubernetes removes its own."""
    return [name for name in obj["metadata"].get("finalizers") or () if name not in _BY_KUBERNETES]


def holders(obj: Object, node: Object | None = None) -> list[str]:
    """Return what holds an object that is being deleted, each in a few words; `node` is the one that a pod is on."""
    metadata = obj["metadata"]
    held = [f"its finalizer {name}" for name in finalizers(obj)]
    held += [what for name, what in _BY_KUBERNETES.items() if name in (metadata.get("finalizers") or ())]
    if node and not _is_ready(node):
        held.append(f"its node {node['metadata']['name']}, which is not ready")
    if obj["kind"] == "Namespace":
        conditions = obj.get("status", {}).get("conditions", [])
        held += [
            one["message"] for one in conditions if one["status"] == _NAMESPACE_HELD and "message" in one
        ]
    return held


def remedy(obj: Object, node: Object | None = None) -> str:
    """Return what to do about an object that is being deleted and does not go, with the command."""
    kind, metadata = obj["kind"].lower(), obj["metadata"]
    name = metadata["name"]
    place = f" -n {metadata['namespace']}" if "namespace" in metadata else ""
    if node and not _is_ready(node):
        return (
            f"bring node {node['metadata']['name']} back; if it is gone for good, remove its pod with "
            f"`kubectl{place} delete {kind} {name} --force --grace-period=0`"
        )
    if finalizers(obj):
        return (
            f"let the owner of the finalizer finish its work; if that owner is gone, "
            f'`kubectl{place} patch {kind} {name} --type=merge -p \'{{"metadata":{{"finalizers":null}}}}\'`'
        )
    return f"wait until it is gone; `kubectl{place} describe {kind} {name}` says what it waits for"


def describe(obj: Object, held: Sequence[str]) -> str:
    """Say since when an object is being deleted, and what holds it."""
    words = f"being deleted since {since(obj)}"
    return f"{words}, held by {', '.join(held)}" if held else words


def held_inside(objects: Sequence[Object]) -> Iterator[str]:
    """Name the objects of a namespace (as metadata) that keep it from going: those with finalizers."""
    for obj in objects:
        if names := finalizers(obj):
            yield f"{obj['kind']} {obj['metadata']['name']} (finalizer {', '.join(names)})"


def _has_ended(pod: Object) -> bool:
    """Whether the containers of a pod have ended."""
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return bool(statuses) and all("terminated" in status.get("state", {}) for status in statuses)


def _is_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _time(written: str) -> dt.datetime:
    return dt.datetime.fromisoformat(written)


def _written(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
