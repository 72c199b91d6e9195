"""Makes a live release fall ill as releases do, and well again."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
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
    from support.namespace import Live, Namespace
    from support.release import Release
    from support.wait import Deadlines

# Large enough for Chroma's database, and small enough to be filled in a moment.
_SMALL: Final = "32Mi"
# Bytes; more than fit on the small claim.
_TOO_MUCH: Final = 64 << 20
_BALLAST: Final = "/claim/ballast"


@dataclass(frozen=True)
class Patient:
    """A live release that may fall ill, and the namespace that says when it is well again."""

    home: Namespace
    live: Live
    deadlines: Deadlines
    run_id: str


def on_small_claim(release: Release) -> Release:
    """Return a release that differs in nothing but the size of its claim."""
    return release.model_copy(update={"claim": release.claim.model_copy(update={"size": _SMALL})})


@contextmanager
def _altered(kind: str, name: str, change: dict[str, Any], patient: Patient) -> Iterator[None]:
    original = _rendered(patient.live, kind, name)
    patient.live.kube.apply(merge(original, change))
    try:
        yield
    finally:
        _restore(patient, original)


@contextmanager
def _gone(kind: str, name: str, patient: Patient) -> Iterator[None]:
    original = _rendered(patient.live, kind, name)
    patient.live.kube.delete(kind, name, patient.live.namespace)
    try:
        yield
    finally:
        _restore(patient, original)


@contextmanager
def _without_pod(patient: Patient) -> Iterator[None]:
    original = patient.live.statefulset()
    patient.live.kube.apply(merge(original, {"spec": {"replicas": 0}}))
    try:
        yield
    finally:
        patient.live.kube.apply(original)  # whoever needs the release live next waits for its pod


@contextmanager
def _full(patient: Patient) -> Iterator[None]:
    _fill(patient, _TOO_MUCH)
    try:
        yield
    finally:
        _fill(patient, 0)


SICKNESSES: Final[Mapping[str, Callable[[Patient], AbstractContextManager[None]]]] = {
    "its Service selects nothing": partial(
        _altered, "Service", "chromadb-svc", {"spec": {"selector": {"app": "chromadb"}}}
    ),
    "its Ingress is gone": partial(_gone, "Ingress", "chroma-ingress"),
    "its pod is gone": _without_pod,
    "its claim is full": _full,
}


def _rendered(live: Live, kind: str, name: str) -> Object:
    return next(obj for obj in live.objects if key(obj) == (kind, name))


def _restore(patient: Patient, original: Object) -> None:
    patient.live.kube.apply(original)
    name = patient.live.release.name
    wait_for(patient.home.live, patient.deadlines.live, lambda: f"{name} is not well again")


def _fill(patient: Patient, size: int) -> None:
    """Let a pod beside Chroma write a file of so many bytes to the release's claim, or as many as there is room for."""
    live, deadlines = patient.live, patient.deadlines
    kube, where = live.kube, live.namespace
    filler = probe.pod(
        f"filler-{size}",
        where,
        patient.run_id,
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
