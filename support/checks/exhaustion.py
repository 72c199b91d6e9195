"""Lets a live release run out of memory, or of room on its claim, while two writers add records."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from support.checks.durability.writing import Load, WriteLog, writing
from support.checks.troubleshooting import DISRUPTIONS
from support.core.wait import wait_for
from support.deploy.ways_in import CONTAINER, POD, pod_of
from support.network import http

if TYPE_CHECKING:
    from support.checks.durability.ends import Scene
    from support.checks.troubleshooting import Disruptable
    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.kube.objects import Object
    from support.release.release import Release

# Enough for Chroma and its keeper, which take 60 MiB, and for the records of a scenario; not for the body of the large question.
_LITTLE: Final = "128Mi"
_DIMENSION: Final = 384
_LOAD: Final = Load(writers=2, batch=10, records=3000, dimension=_DIMENSION)
# Vectors of the large question, 37 MiB as JSON: as much as the gateway takes, and more than there is memory for (190 MiB, measured).
_MANY: Final = 20_000
_VECTOR: Final = b"[" + b",".join([b"0.25"] * _DIMENSION) + b"]"


def with_little_memory(release: Release) -> Release:
    """Return a release that differs in nothing but the memory of Chroma's container."""
    memory = release.chroma.memory.model_copy(update={"request": _LITTLE, "limit": _LITTLE})
    return release.model_copy(update={"chroma": release.chroma.model_copy(update={"memory": memory})})


def run_out_of_memory(scene: Scene, database: Database, collection: Collection) -> WriteLog:
    """Ask a question that is too large while two writers add records, until the kernel ends Chroma's process for its memory.

    Return once the release is live again, in the same pod.
    """
    live, deadlines = scene.live, scene.deadlines
    question = b'{"n_results":1,"query_embeddings":[' + b",".join([_VECTOR] * _MANY) + b"]}"

    def ended() -> bool:
        with suppress(http.NoResponse):
            database.ask_of(collection, "POST", "/query", question)
        return _ended_for_memory(pod_of(live))

    with writing(collection, deadlines, _LOAD, WriteLog()) as log:
        wait_for(ended, deadlines.live, lambda: f"the large question fits into {_LITTLE}")
    wait_for(
        lambda: scene.home.live() is not None,
        deadlines.live,
        lambda: f"Chroma is not live again: {pod_of(live)['status']}",
        (LookupError,),
    )
    return log


def run_out_of_room(scene: Scene, disruptable: Disruptable, collection: Collection) -> WriteLog:
    """Fill the claim while two writers add records, and replace the pod; once it has tried to start, make room again."""
    live, before = scene.live, pod_of(scene.live)["metadata"]["uid"]
    with (
        writing(collection, scene.deadlines, _LOAD, WriteLog()) as log,
        DISRUPTIONS["its claim is full"](disruptable),
    ):
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
