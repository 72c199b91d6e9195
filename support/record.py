"""Keeps the last live release in its namespace, so that a refused one can give way to what was really live."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from support.release import Release
from support.render import ownership

if TYPE_CHECKING:
    from support.kube import Kube, Object, Objects
    from support.render import Place

# A Secret, since the objects hold some.
NAME: Final = "chroma-last-live"
_ENTRY: Final = "release.json.gz"


def remember(kube: Kube, place: Place, release: Release, objects: Objects) -> None:
    """Record a release and its rendered objects as the last one that was live; the same ones change nothing."""
    kube.apply(secret(place, release, objects))


def recall(kube: Kube, namespace: str) -> tuple[Release, Objects] | None:
    """Return the last release that was live in a namespace, with its rendered objects; None when there is none."""
    found = kube.get("Secret", NAME, namespace)
    if not found:
        return None
    kept = json.loads(gzip.decompress(base64.b64decode(found["data"][_ENTRY])))
    return _release(kept["release"]), kept["objects"]


def _release(kept: dict[str, Any]) -> Release:
    """Return a recorded release; one of another version of the suite may state what this one does not know.

    It is told by its name, and its objects are what can be given way to.
    """
    try:
        return Release.model_validate(kept)
    except ValidationError:
        return Release.model_construct(**kept)


def secret(place: Place, release: Release, objects: Objects) -> Object:
    """Return the Secret in which a release and its rendered objects are recorded."""
    kept = json.dumps({"release": release.model_dump(mode="json"), "objects": objects}, sort_keys=True)
    packed = gzip.compress(
        kept.encode(), mtime=0
    )  # without the time, so that the same release packs to the same bytes
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": NAME, "namespace": place.namespace, "labels": ownership(place.run_id)},
        "type": "Opaque",
        "data": {_ENTRY: base64.b64encode(packed).decode()},
    }
