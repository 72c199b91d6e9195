"""Volumes that stay when their claim is gone, since the platform keeps them: which they are, and how they are reported."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from support.deploy.objects import is_claim
from support.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.kube.client import Kube
    from support.kube.objects import Object, Objects

# The only policy under which a volume goes with its claim.
_GOES: Final = "Delete"
# Where a volume says what it stands on.
_PLACES: Final = (
    "hostPath",
    "local",
    "csi",
    "nfs",
    "iscsi",
    "rbd",
    "cephfs",
    "awsElasticBlockStore",
    "gcePersistentDisk",
)


def stays(volume: Object) -> bool:
    """Whether a volume outlives its claim, by the decision of its platform."""
    return policy(volume) != _GOES


def policy(volume: Object) -> str:
    """Return what becomes of a volume when its claim is gone; a volume that states nothing is kept (Kubernetes' default)."""
    return str(volume["spec"].get("persistentVolumeReclaimPolicy", "Retain"))


def kept(kube: Kube, objects: Iterable[Object]) -> Objects:
    """Return the volumes of claims among objects that stay without them, as far as we may look."""
    names = [claim["spec"].get("volumeName") for claim in objects if is_claim(claim)]
    found = [_seen(kube, name) for name in names if name]
    return [volume for volume in found if volume and stays(volume)]


def of_namespaces(kube: Kube, prefix: str) -> Objects:
    """Return the volumes that stay and were claimed from namespaces whose names begin so, as far as we may look."""
    with suppress(ApiError):
        return [
            volume
            for volume in kube.list("PersistentVolume")
            if stays(volume) and claimed_from(volume).startswith(prefix)
        ]
    return []


def claimed_from(volume: Object) -> str:
    """Return the namespace from which a volume is, or was, claimed; "" when it never was."""
    return str((volume["spec"].get("claimRef") or {}).get("namespace", ""))


def claimed_by(volume: Object) -> str:
    """Return the uid of the claim that a volume belongs, or belonged, to; "" when it never had one."""
    return str((volume["spec"].get("claimRef") or {}).get("uid", ""))


def described(volume: Object) -> str:
    """Say that a volume still holds its data, where that lies, and how it is removed."""
    name = volume["metadata"]["name"]
    return (
        f"PersistentVolume {name} still holds the data ({policy(volume)}), {_where(volume)}: look at what lies there, then "
        f"`kubectl delete pv {name}`, and remove it there"
    )


def counted(volumes: Objects) -> str:
    """Say in one line how many volumes throw-away namespaces have left, and how they are removed."""
    names = sorted(volume["metadata"]["name"] for volume in volumes)
    return (
        f"PersistentVolumes that throw-away namespaces of this run have left, since their class keeps them: {len(names)}; "
        f"`kubectl delete pv {' '.join(names)}`"
    )


def _where(volume: Object) -> str:
    spec = volume["spec"]
    source: dict[str, Any] = next((spec[one] for one in _PLACES if one in spec), {})
    facts = [
        str(source[one]) for one in ("driver", "server", "volumeHandle", "volumeID", "path") if one in source
    ]
    return (
        f"at {' '.join(facts)}" if facts else f"where `kubectl describe pv {volume['metadata']['name']}` says"
    )


def _seen(kube: Kube, name: str) -> Object | None:
    with suppress(ApiError):
        return kube.get("PersistentVolume", name)
    return None
