"""Keeps the last live release in its namespace, and which data it held, so that a refused one gives way to what was really live."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr, ValidationError

from support.chroma.holdings import Holding, Holdings
from support.core.component import AUTH_KEY, AUTH_SECRET, LAST_LIVE
from support.kube.exposure import hosts
from support.kube.labels import ownership
from support.kube.objects import key
from support.release.release import Release

if TYPE_CHECKING:
    from support.kube.client import Kube
    from support.kube.objects import Object, Objects
    from support.release.place import Place

# A Secret, since the objects hold some.
_ENTRY: Final = "release.json.gz"
# What it held, written after it and by itself: collections come and go without an apply.
_DATA: Final = "data.json.gz"
# Collections that are kept by name, the largest first: a Secret takes 1 MiB, and each of these up to 600 bytes, of which
# ids and names shrink to a third. Of the others the record tells nothing.
_MOST: Final = 1000


@dataclass(frozen=True)
class Kept:
    """Which data the last live release had: its claim and volume, by name and uid, and what it held at the last look."""

    claim: str
    claim_uid: str
    volume: str
    volume_uid: str
    holdings: Holdings


def remember(kube: Kube, place: Place, release: Release, objects: Objects, token: SecretStr) -> None:
    """Record a release, its rendered objects and its token as the last one that was live; the same change nothing."""
    kube.apply(secret(place, release, objects, token))


def recall(kube: Kube, namespace: str) -> tuple[Release, Objects, SecretStr | None] | None:
    """Return the last release that was live in a namespace, with its rendered objects and its token.

    None when there is none; no token where an older version of the suite has recorded none, and no object shows one.
    """
    found = kube.get("Secret", LAST_LIVE, namespace)
    if not found:
        return None
    kept = unpacked(found["data"][_ENTRY])
    token = kept.get("token") or _shown(kept["objects"])
    return release_of(kept["release"]), kept["objects"], SecretStr(token) if token else None


def _shown(objects: Objects) -> str:
    """Return the token that a release's own Secret shows to applications, "" where there is none."""
    data: dict[str, str] = next((obj["data"] for obj in objects if key(obj) == ("Secret", AUTH_SECRET)), {})
    return base64.b64decode(data.get(AUTH_KEY, "")).decode("ascii", "replace")


def host(kube: Kube, namespace: str) -> str | None:
    """Return the host name that led to the last release that was live in a namespace; None when there is none."""
    recalled = recall(kube, namespace)
    objects = recalled[1] if recalled else []
    return next((name for obj in objects for name in hosts(obj)), None)


def note(kube: Kube, namespace: str, kept: Kept) -> None:
    """Record which data the last live release has; the same changes nothing."""
    if kept == recall_data(kube, namespace):
        return
    kube.patch("Secret", LAST_LIVE, namespace, {"data": {_DATA: packed(dataclasses.asdict(kept))}})


def recall_data(kube: Kube, namespace: str) -> Kept | None:
    """Return which data the last live release had; None where that is not recorded."""
    found = kube.get("Secret", LAST_LIVE, namespace)
    if not found or _DATA not in found["data"]:
        return None
    kept = unpacked(found["data"][_DATA])
    held = kept["holdings"]
    collections = tuple(Holding(**one) for one in held["collections"])
    return Kept(**{**kept, "holdings": Holdings(collections, held["unlisted"])})


def bounded(holdings: Holdings) -> Holdings:
    """Return what of the holdings is kept."""
    if len(holdings.collections) <= _MOST:
        return holdings
    return Holdings(tuple(sorted(holdings.collections, key=lambda one: -(one.count or 0))[:_MOST]))


def packed(stated: Any) -> str:
    """Pack what is stated; without the time, so that the same packs to the same bytes."""
    return base64.b64encode(gzip.compress(json.dumps(stated, sort_keys=True).encode(), mtime=0)).decode()


def unpacked(text: str) -> Any:
    """Return what was packed."""
    return json.loads(gzip.decompress(base64.b64decode(text)))


def release_of(kept: dict[str, Any]) -> Release:
    """Return a recorded release; one of another version of the suite may state what this one does not know.

    It is identified by its name, and its objects are what can be given way to.
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
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": LAST_LIVE, "namespace": place.namespace, "labels": ownership(place.run_id)},
        "type": "Opaque",
        "data": {_ENTRY: packed(stated)},
    }
