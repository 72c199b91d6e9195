"""Makes a live release fall ill as releases do, and well again."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from support import probe
from support.merge import merge
from support.plan import key
from support.pods import beside
from support.wait import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from support.kube import Object
    from support.namespace import Live
    from support.release import Release
    from support.wait import Deadlines

# Large enough for Chroma's database, and small enough to be filled in a moment.
_SMALL: Final = "32Mi"
# Bytes; more than fit on the small claim.
_TOO_MUCH: Final = 64 << 20
_BALLAST: Final = "/claim/ballast"


def on_small_claim(release: Release) -> Release:
    """Return a release that differs in nothing but the size of its claim."""
    return release.model_copy(update={"claim": release.claim.model_copy(update={"size": _SMALL})})


@contextmanager
def _altered(
    kind: str, name: str, change: dict[str, Any], live: Live, deadlines: Deadlines, _run_id: str
) -> Iterator[None]:
    original = _rendered(live, kind, name)
    live.namespace.kube.apply(merge(original, change))
    try:
        yield
    finally:
        _restore(live, original, deadlines)


@contextmanager
def _gone(kind: str, name: str, live: Live, deadlines: Deadlines, _run_id: str) -> Iterator[None]:
    original = _rendered(live, kind, name)
    live.namespace.kube.delete(kind, name, live.namespace.name)
    try:
        yield
    finally:
        _restore(live, original, deadlines)


@contextmanager
def _without_pod(live: Live, _deadlines: Deadlines, _run_id: str) -> Iterator[None]:
    original = live.statefulset()
    live.namespace.kube.apply(merge(original, {"spec": {"replicas": 0}}))
    try:
        yield
    finally:
        live.namespace.kube.apply(original)  # whoever needs the release live next waits for its pod


@contextmanager
def _full(live: Live, deadlines: Deadlines, run_id: str) -> Iterator[None]:
    _fill(live, deadlines, run_id, _TOO_MUCH)
    try:
        yield
    finally:
        _fill(live, deadlines, run_id, 0)


SICKNESSES: Final[Mapping[str, Callable[[Live, Deadlines, str], AbstractContextManager[None]]]] = {
    "its Service selects nothing": partial(
        _altered, "Service", "chromadb-svc", {"spec": {"selector": {"app": "chromadb"}}}
    ),
    "its Ingress is gone": partial(_gone, "Ingress", "chroma-ingress"),
    "its pod is gone": _without_pod,
    "its claim is full": _full,
}


def _rendered(live: Live, kind: str, name: str) -> Object:
    return next(obj for obj in live.objects if key(obj) == (kind, name))


def _restore(live: Live, original: Object, deadlines: Deadlines) -> None:
    live.namespace.kube.apply(original)
    wait_for(live.namespace.live, deadlines.live, lambda: f"{live.release.name} is not well again")


def _fill(live: Live, deadlines: Deadlines, run_id: str, size: int) -> None:
    """Let a pod beside Chroma write a file of so many bytes to the release's claim, or as many as there is room for."""
    kube, where = live.namespace.kube, live.namespace.name
    filler = probe.pod(
        f"filler-{size}",
        where,
        run_id,
        live.inventory.vantage_image,
        ["fill", _BALLAST, str(size)],
        mounts=[{"name": "claim", "mountPath": "/claim"}],
        volumes=[{"name": "claim", "persistentVolumeClaim": {"claimName": live.release.claim.name}}],
        **beside(live),
    )
    try:
        probe.start(kube, filler, deadlines)
        probe.wait_for_phase(kube, filler, ("Succeeded", "Failed"), deadlines)
    finally:
        kube.delete("Pod", filler["metadata"]["name"], where, grace=0)
