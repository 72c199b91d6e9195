"""Keeps the last live release in its namespace, so that a refused one can give way to what was really live."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr, ValidationError

from support.plan import key
from support.release import Release
from support.render import ownership

if TYPE_CHECKING:
    from support.kube import Kube, Object, Objects
    from support.render import Place

# A Secret, since the objects hold some.
NAME: Final = "chroma-last-live"
_ENTRY: Final = "release.json.gz"


def remember(kube: Kube, place: Place, release: Release, objects: Objects, token: SecretStr) -> None:
    """Record a release, its rendered objects and its token as the last one that was live; the same change nothing."""
    kube.apply(secret(place, release, objects, token))


def recall(kube: Kube, namespace: str) -> tuple[Release, Objects, SecretStr | None] | None:
    """Return the last release that was live in a namespace, with its rendered objects and its token.

    None when there is none; no token where an older version of the suite has recorded none, and no object shows one.
    """
    found = kube.get("Secret", NAME, namespace)
    if not found:
        return None
    kept = json.loads(gzip.decompress(base64.b64decode(found["data"][_ENTRY])))
    token = kept.get("token") or _shown(kept["objects"])
    return _release(kept["release"]), kept["objects"], SecretStr(token) if token else None


def _shown(objects: Objects) -> str:
    """Return the token that a release's own Secret shows to applications, "" where there is none."""
    data: dict[str, str] = next((obj["data"] for obj in objects if key(obj) == ("Secret", "chroma-auth")), {})
    return base64.b64decode(data.get("auth-token", "")).decode("ascii", "replace")


def _release(kept: dict[str, Any]) -> Release:
    """Return a recorded release; one of another version of the suite may state what this one does not know.

    It is told by its name, and its objects are what can be given way to.
    """
    try:
        return Release.model_validate(kept)
    except ValidationError:
        return Release.model_construct(**kept)


def secret(place: Place, release: Release, objects: Objects, token: SecretStr) -> Object:
    """Return the Secret in which a release, its rendered objects and its token are recorded."""
    stated = {
        "release": release.model_dump(mode="json"),
        "objects": objects,
        "token": token.get_secret_value(),
    }
    kept = json.dumps(stated, sort_keys=True)
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
