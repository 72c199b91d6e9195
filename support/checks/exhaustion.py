"""Lets a live release run out of memory, or of room on its claim, while two writers add records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.checks.durability.writing import Load, writing
from support.checks.troubleshooting import DISRUPTIONS
from support.core.wait import wait_for
from support.deploy.ways_in import CONTAINER, POD, pod_of

if TYPE_CHECKING:
    from support.checks.durability.ends import Scene
    from support.checks.durability.writing import WriteLog
    from support.checks.troubleshooting import Disruptable
    from support.chroma.client import Collection
    from support.kube.objects import Object
    from support.release.release import Release

# Enough for Chroma and its keeper to start, and for some thousand records.
_LITTLE: Final = "256Mi"
_LOAD: Final = Load(writers=2, batch=100, records=20_000, dimension=768)


def with_little_memory(release: Release) -> Release:
    """Return a release that differs in nothing but the memory of Chroma's container."""
    memory = release.chroma.memory.model_copy(update={"request": _LITTLE, "limit": _LITTLE})
    return release.model_copy(update={"chroma": release.chroma.model_copy(update={"memory": memory})})


def run_out_of_memory(scene: Scene, collection: Collection, more: Release) -> WriteLog:
    """Let two writers add records until the kernel ends Chroma's process for its memory; then apply the release with more."""
    with writing(collection, scene.deadlines, _LOAD) as log:
        wait_for(
            lambda: _ended_for_memory(pod_of(scene.live)),
            scene.deadlines.live,
            lambda: f"{len(log.acknowledged)} records fit into {_LITTLE}",
        )
    rollout = scene.home.apply(more)
    assert rollout.live, f"with more memory the release is not live again: {rollout}"
    return log


def run_out_of_room(scene: Scene, disruptable: Disruptable, collection: Collection) -> WriteLog:
    """Fill the claim while two writers add records, and replace the pod; once it has tried to start, make room again."""
    live, before = scene.live, pod_of(scene.live)["metadata"]["uid"]
    with writing(collection, scene.deadlines, _LOAD) as log, DISRUPTIONS["its claim is full"](disruptable):
        wait_for(
            lambda: log.indeterminate, scene.deadlines.live, lambda: "no writer was refused on a full claim"
        )
        live.kube.delete("Pod", POD, live.namespace)
        wait_for(
            lambda: _has_tried(pod_of(live), before),
            scene.deadlines.live,
            lambda: f"the pod that was deleted has no successor that starts: {pod_of(live)['status']}",
            (LookupError,),
        )
    wait_for(
        lambda: scene.home.live() is not None,
        scene.deadlines.live,
        lambda: f"with room again it is not live: {pod_of(live)['status']}",
        (LookupError,),
    )
    return log


def _ended_for_memory(pod: Object) -> bool:
    status = _status(pod)
    ends = (status.get("state", {}), status.get("lastState", {}))
    return any(end.get("terminated", {}).get("reason") == "OOMKilled" for end in ends)


def _has_tried(pod: Object, before: str) -> bool:
    """Return whether another pod than that before has started Chroma's container."""
    return pod["metadata"]["uid"] != before and bool(
        _status(pod).get("started")
        or _status(pod).get("restartCount")
        or "running" in _status(pod).get("state", {})
    )


def _status(pod: Object) -> Object:
    statuses = pod["status"].get("containerStatuses", [])
    return next((one for one in statuses if one["name"] == CONTAINER), {})
