"""Removes what runs have left on a cluster that were killed, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from support.chroma.naming import OLD
from support.core.parallel import in_parallel
from support.core.restraint import restraint
from support.deploy import removal
from support.deploy.marks import KIND, Living, is_mark, living, run_of
from support.deploy.objects import is_prepull_pod
from support.deploy.remains import Remains
from support.kube.errors import ApiError
from support.kube.labels import OWNED, PROCESS
from support.kube.objects import key
from support.kube.resources import path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from support.core.wait import Deadlines
    from support.deploy.remains import Remnant
    from support.kube.client import Kube
    from support.kube.objects import Object, Objects
    from support.platform.inventory import Inventory

# What a scenario puts on an object so that nobody removes it; of a dead scenario nobody else takes it off.
_HELD: Final = re.compile(r"chroma-conformance/")


@dataclass
class Swept:
    """What a sweep has removed, and what it could not look at or remove, a phrase each; `runs` are those whose it was."""

    runs: set[str] = field(default_factory=set)
    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    living: frozenset[str] = frozenset()

    def lines(self) -> Iterator[str]:
        """Say what was removed, and what was not; nothing where there was nothing."""
        if self.removed:
            whose = f"of runs that are dead ({', '.join(sorted(self.runs))})" if self.runs else "of dead runs"
            yield f"removed what was left {whose}: {', '.join(self.removed)}"
        if self.left:
            yield f"what dead runs may have left is not removed: {'; '.join(self.left)}"


def sweep(
    kube: Kube,
    inventory: Inventory,
    run_id: str,
    now: datetime,
    deadlines: Deadlines,
    *,
    begun: bool = False,
) -> Swept:
    """Remove what belongs to dead runs alone: namespaces, other objects, and what they kept in releases that stay.

    `begun`: the run that sweeps has things of its own already, so that what does not tell whose it is may be that run's.

    `run_id` is that of the run which sweeps, `now` the time of the cluster's clock. The end of a namespace is not waited
    for. Never raises what a cluster can do to it: that is among what is `left`.
    """
    swept = Swept()
    try:
        marks = kube.list(KIND, None, OWNED)
        alive = living(marks, now, deadlines, run_id)
        swept.living = alive.runs - {run_id}
        alone = not (swept.living or begun)
        _sweep_objects(kube, alive, swept, alone=alone)
        for namespace in _releases(kube):
            _sweep_release(Remains.of_release(namespace, kube, inventory), alive, swept, alone=alone)
    except ApiError as error:
        swept.left.append(error.message)
    return swept


def _sweep_objects(kube: Kube, alive: Living, swept: Swept, *, alone: bool) -> None:
    namespaces = [one for one in _listed(kube, "Namespace", swept) if alive.is_left(one)]
    for namespace in namespaces:
        _try(swept, namespace, partial(_remove_namespace, kube, namespace["metadata"]["name"]))
    gone = {one["metadata"]["name"] for one in namespaces}
    found = in_parallel([partial(_listed, kube, kind, swept) for kind in removal.KINDS])
    for obj in (one for objects in found for one in objects):
        passing = alone and is_prepull_pod(obj)  # of a release that stays, but there only while a run pulls
        if obj["metadata"]["namespace"] not in gone and (passing or alive.is_left(obj)):
            _try(swept, obj, partial(_remove, kube, obj))


def _listed(kube: Kube, kind: str, swept: Swept) -> Objects:
    try:
        return kube.list(kind, None, OWNED)
    except ApiError as error:
        swept.left.append(f"{kind}: {error.message}")
        return []


def _try(swept: Swept, obj: Object, act: partial[None]) -> None:
    name = " ".join(key(obj))
    where = obj["metadata"].get("namespace")
    try:
        act()
    except ApiError as error:
        swept.left.append(f"{name}: {error.message}")
        return
    swept.runs |= {run_id} if (run_id := run_of(obj)) else set()
    if not is_mark(obj):
        ending = " (was on its way out)" if "deletionTimestamp" in obj["metadata"] else ""
        swept.removed.append(f"{name} in {where}{ending}" if where else f"{name}{ending}")


def _remove_namespace(kube: Kube, name: str) -> None:
    objects = removal.owned(kube, name)
    kube.delete("Namespace", name)
    removal.ask_for_removal(kube, name, [obj for obj in objects if obj["kind"] != "Namespace"], grace=1)
    for obj in objects:
        _release(kube, obj)


def _remove(kube: Kube, obj: Object) -> None:
    kube.delete(*key(obj), obj["metadata"]["namespace"], grace=1 if obj["kind"] == "Pod" else None)
    _release(kube, obj)


def _release(kube: Kube, obj: Object) -> None:
    """Take off an object what our own scenarios hold it by."""
    held = obj["metadata"].get("finalizers") or []
    kept = [one for one in held if not _HELD.match(one)]
    if kept != held and kube.get(*key(obj), obj["metadata"].get("namespace")):
        kube.patch(*key(obj), obj["metadata"].get("namespace"), {"metadata": {"finalizers": kept}})


def _releases(kube: Kube) -> Iterable[str]:
    """Return the namespaces of releases that stay."""
    return [
        obj["metadata"]["namespace"]
        for obj in kube.list("StatefulSet", None, OWNED)
        if run_of(obj) is None and obj.get("status", {}).get("readyReplicas")
    ]


def _sweep_release(remains: Remains, alive: Living, swept: Swept, *, alone: bool) -> None:
    found = remains.look()
    for each in found:
        if not _is_left(each, alive, alone=alone):
            continue
        if not remains.remove(each):
            continue
        swept.removed.append(f"{each} of {remains.name}")
        if each.run_id:
            swept.runs.add(each.run_id)
    swept.left += remains.unknown


def _is_left(each: Remnant, alive: Living, *, alone: bool) -> bool:
    if each.run_id in alive.runs:
        return False
    if each.tells:
        # A run that only verifies has no mark.
        return each.run_id in alive.dead or each.is_old
    return bool(each.run_id or alone or each.is_old)


def sweep_unmarked(
    kube: Kube, inventory: Inventory, release: str, vantage: str | None, now: datetime
) -> Swept:
    """Remove what dead runs have left that only verified a release, and nothing else: pods of theirs, and databases.

    Their marks would be objects, so that each tells by itself whether its run may live. `release` is the namespace of the
    release, `vantage` that of pods which were given a namespace. Never raises what a cluster can do to it.
    """
    swept = sweep_vantages(kube, vantage, now)
    sweep_databases(Remains.of_release(release, kube, inventory, inventory.admin_password), swept)
    return swept


def sweep_vantages(kube: Kube, vantage: str | None, now: datetime) -> Swept:
    """Remove the pods from which dead runs have seen what they only verified, as `sweep_unmarked` does."""
    swept = Swept()
    alive = Living(now, frozenset(), frozenset(), OLD)
    for kind, place in (("Namespace", None), *((("Pod", vantage),) if vantage else ())):
        try:
            found = kube.list(kind, place, OWNED)
        except ApiError as error:
            swept.left.append(f"{kind}: {error.message}")
            continue
        for obj in found:
            if PROCESS in (obj["metadata"].get("annotations") or {}) and alive.is_left(obj):
                _try(swept, obj, partial(_remove_vantage, kube, obj))
    return swept


def sweep_databases(remains: Remains, swept: Swept) -> None:
    """Remove the databases of dead runs from a Chroma, as `sweep_unmarked` does, and note that."""
    for each in remains.databases():
        if each.is_old and remains.remove(each):
            swept.removed.append(f"{each} of {remains.name}")
            swept.runs.add(each.run_id)
    swept.left += remains.unknown


def _remove_vantage(kube: Kube, obj: Object) -> None:
    """Remove a vantage: its pod, with the namespace around it where that was made for it."""
    name = obj["metadata"]["name"]
    where = obj["metadata"].get("namespace")
    restraint().own(path_of(obj))
    if where:
        kube.delete("Pod", name, where, grace=0)
        return
    for pod in kube.list("Pod", name, OWNED):
        restraint().own(path_of(pod))
        kube.delete(*key(pod), name, grace=0)
    kube.delete("Namespace", name)
