"""Says what a removal of a release would take away, what would stay, and what becomes of its data, and does none of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from support.core.parallel import in_parallel
from support.deploy import removal
from support.deploy.objects import is_claim
from support.deploy.volumes import stays
from support.kube.errors import ApiError
from support.kube.labels import is_ours
from support.release import lineage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.deploy.site import Site
    from support.kube.objects import Object, Objects


@dataclass(frozen=True)
class RemovalPlan:
    """What a removal would do in a namespace, in lines for people; `data` says that it would take data away."""

    namespace: str
    goes: tuple[str, ...]
    stays: tuple[str, ...]
    data: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Say what goes and what stays, a line each."""
        if not self.goes and not self.stays:
            yield f"nothing of the suite is in namespace {self.namespace}"
            return
        yield f"removal from namespace {self.namespace}:"
        yield from (f"goes      {each}" for each in self.goes)
        yield from (f"stays     {each}" for each in self.stays)


def plan_removal(site: Site, *, remove_data: bool) -> RemovalPlan:
    """Return what a removal would do; raises `ApiError`."""
    kube, name = site.kube, site.name
    owned = removal.owned(kube, name)
    around = kube.get("Namespace", name)
    claims = [obj for obj in owned if is_claim(obj)]
    volumes = dict(
        zip(_names(claims), in_parallel([partial(_volume, site, one) for one in claims]), strict=True)
    )
    kept = [] if remove_data else claims
    goes = [
        _described(obj)
        for obj in owned
        if obj not in kept and obj["kind"] not in {"Namespace", "PersistentVolumeClaim"}
    ]
    data = tuple(
        f"{_described(claim)}, with its data: {_fate(volumes[_named(claim)])}; {_backup(claim)}"
        for claim in claims
        if remove_data
    )
    stay = [f"{_described(claim)}, with its data; --remove-data takes it away as well" for claim in kept]
    if around and owned:
        why = "since it holds the claim" if kept else removal.why_stays(around, removal.foreign(kube, name))
        if kept or why:
            stay.append(why if not kept else f"namespace {name}, {why}")
        else:
            goes.append(f"Namespace {name}")
    return RemovalPlan(name, (*goes, *data), tuple(stay), data)


def _names(objects: Objects) -> list[str]:
    return [_named(obj) for obj in objects]


def _named(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def _described(obj: Object) -> str:
    return f"{obj['kind']} {_named(obj)}"


def _volume(site: Site, claim: Object) -> Object | None:
    name = claim["spec"].get("volumeName")
    try:
        return site.kube.get("PersistentVolume", name) if name else None
    except ApiError:  # not everybody may look at volumes
        return None


def _fate(volume: Object | None) -> str:
    """Say what becomes of a claim's volume."""
    if volume is None:
        return "what becomes of its volume is not known"
    name = _named(volume)
    if stays(volume):
        return f"volume {name} stays, with all that was written (its class keeps volumes), until `kubectl delete pv {name}`"
    return f"volume {name} is deleted with it (its class deletes volumes), and cannot be brought back"


def _backup(claim: Object) -> str:
    made = lineage.of_claim(claim, []).backup if is_ours(claim) else None
    return f"the last backup is of {made}" if made else "no backup of it is known"
