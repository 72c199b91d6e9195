"""Clears a namespace of what the suite has in it: all of it, what a refused release made, or what only the one before had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.deploy import removal, volumes
from support.deploy.objects import is_claim
from support.deploy.results import RollBack
from support.kube.labels import is_throw_away
from support.kube.objects import key

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from support.deploy.live import Live
    from support.deploy.site import Site
    from support.kube.objects import Key, Objects


def versions(objects: Objects) -> dict[Key, str]:
    """Return the resourceVersion of each object, by kind and name."""
    return {key(obj): obj["metadata"]["resourceVersion"] for obj in objects}


def changed(before: dict[Key, str], after: dict[Key, str]) -> tuple[str, ...]:
    """Name the objects ("kind name") that are not as they were: made, changed or gone."""
    return _named(
        each for each in sorted(before.keys() | after.keys()) if before.get(each) != after.get(each)
    )


@dataclass(frozen=True)
class Clearance:
    """Removes what the suite has in one namespace, and nothing else."""

    site: Site

    def owned(self) -> Objects:
        """Return every object of the suite in the namespace, after the namespace, if that is the suite's as well."""
        return removal.owned(self.site.kube, self.site.name)

    def everything(self, *, remove_data: bool) -> RollBack:
        """Remove everything but claims, and with `remove_data` them as well; wait until it is gone, and say what stays."""
        there = self.owned()
        going = [obj for obj in there if remove_data or not is_claim(obj)]
        left = self._clear(going, namespace=not any(is_claim(obj) for obj in there if obj not in going))
        kept = {key(obj) for obj in self.owned()}
        return RollBack(
            removed=_named(key(obj) for obj in there if key(obj) not in kept),
            kept=_named(key(obj) for obj in there if key(obj) in kept),
            left=left,
        )

    def leftovers(self, before: Container[Key], former: Live | None) -> None:
        """Remove what a refused release made: what was neither there before nor belongs to the one before it."""
        kept = {key(obj) for obj in former.objects} if former else set()
        made = [obj for obj in self.owned() if key(obj) not in before and key(obj) not in kept]
        self._clear(made, namespace=("Namespace", self.site.name) not in before)

    def superseded(self, former: Live | None, objects: Objects) -> None:
        """Remove what only the release before had; claims stay, since data goes only when that is asked for."""
        stale = {key(obj) for obj in former.objects} - {key(obj) for obj in objects} if former else set()
        if stale:
            self._clear([obj for obj in self.owned() if key(obj) in stale and not is_claim(obj)])

    def discard(self) -> None:
        """Ask for the end of a throw-away namespace and of all that the suite has in it, without waiting for it."""
        kube, name = self.site.kube, self.site.name
        there = kube.get("Namespace", name)
        if there and is_throw_away(there, self.site.place.run_id):
            objects = self.owned()
            kube.delete("Namespace", name)
            removal.ask_for_removal(kube, name, objects, grace=1)

    def _clear(self, objects: Objects, *, namespace: bool = False) -> tuple[str, ...]:
        """Remove objects, and on demand the `namespace` too, if it is ours and holds nothing of anybody else.

        What is left behind is reported, and returned: a line each, with the command that removes it.
        """
        kube, name, deadlines = self.site.kube, self.site.name, self.site.deadlines
        inside = [obj for obj in objects if obj["kind"] != "Namespace"]
        there = kube.get("Namespace", name) if namespace else None
        why = removal.why_stays(there, removal.foreign(kube, name)) if there else ""
        left = (*([why] if why else ()), *map(volumes.described, volumes.kept(kube, inside)))
        if there and not why:
            removal.remove_namespace(kube, name, inside, deadlines)
        else:
            removal.remove(kube, name, inside, deadlines)
        for line in left:
            self.site.progress(line)
        return left


def _named(keys: Iterable[Key]) -> tuple[str, ...]:
    return tuple(f"{kind} {name}" for kind, name in keys)
