"""Looks at what an act is about to touch, before it touches anything, and says what cannot end well."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from support.core.component import SECRETS
from support.core.errors import SuiteError
from support.core.parallel import in_parallel
from support.core.wait import Timeout, wait_for
from support.deploy.objects import claim_names, is_claim
from support.deploy.removal import KINDS
from support.diagnosis import ending
from support.kube import owners
from support.kube.client import FIELD_MANAGER
from support.kube.errors import ApiError
from support.kube.labels import is_ours
from support.kube.objects import key, named

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from support.core.wait import Deadlines
    from support.kube.client import Kube
    from support.kube.objects import Key, Object, Objects

_KEEPS: Final = "Retain"
_CLAIM: Final = "PersistentVolumeClaim"
_REPLICAS: Final = ("spec", "replicas")


class ObstructedError(SuiteError):
    """An act is refused before it has touched anything; the text names what cannot end well, and what to do."""

    def __init__(self, obstacles: Iterable[Obstacle]) -> None:
        super().__init__("; ".join(map(str, obstacles)))


@dataclass(frozen=True)
class Obstacle:
    """What keeps an act from ending well: an object ("kind name"), what was seen of it, and what to do.

    `final`: no waiting changes it. What is not final has `grace` seconds left to go by itself, and a doubt's more.
    """

    what: str
    seen: str
    remedy: str
    final: bool = False
    grace: float = 0.0

    def __str__(self) -> str:
        return f"{self.what} is {self.seen}; to do: {self.remedy}"


@dataclass(frozen=True)
class Situation:
    """What is in a namespace that an act may touch, as it was found at one moment.

    `volumes` are those of the claims, by name, and `nodes` those of pods that are being deleted: both as far as we may
    look. `held` names the objects that keep a namespace that is being deleted.
    """

    namespace: Object | None = None
    objects: Objects = field(default_factory=list)
    volumes: dict[str, Object] = field(default_factory=dict)
    nodes: dict[str, Object] = field(default_factory=dict)
    held: tuple[str, ...] = ()
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    @property
    def is_deployed(self) -> bool:
        """Whether anything of the suite is there."""
        return any(is_ours(obj) for obj in (self.namespace, *self.objects) if obj)

    @property
    def is_ending(self) -> bool:
        """Whether the namespace itself is being deleted."""
        return self.namespace is not None and ending.is_ending(self.namespace)

    def claims(self, needed: Collection[str] = ()) -> Objects:
        """Return the claims of the suite, and those of these names."""
        return [
            obj
            for obj in self.objects
            if is_claim(obj) and (is_ours(obj) or obj["metadata"]["name"] in needed)
        ]

    def statefulset(self) -> Object | None:
        """Return the StatefulSet of the suite, None when there is none."""
        return named(filter(is_ours, self.objects), "StatefulSet")

    def lost_with_the_pod(self, needed: Collection[str] = ()) -> list[Obstacle]:
        """Return the claims that are being deleted: each lasts as long as a pod mounts it, and its data no longer."""
        return [self._of_claim(claim) for claim in self.claims(needed) if ending.is_ending(claim)]

    def ending(self, needed: Collection[Key] = ()) -> list[Obstacle]:
        """Return what else is being deleted, of the suite's objects and of those that are `needed`.

        Where the namespace is being deleted, that is all there is to say.
        """
        if self.namespace and self.is_ending:
            return [self._of_namespace(self.namespace)]
        claims = {name for kind, name in needed if kind == _CLAIM}
        return [
            self._of_object(obj)
            for obj in self.objects
            if ending.is_ending(obj) and not is_claim(obj)
            if is_ours(obj) or key(obj) in needed or claims & _mounted(obj)
        ]

    def volumes_marked(self) -> list[Obstacle]:
        """Return the volumes that are being deleted under a claim: they go as soon as the claim does."""
        return [
            Obstacle(
                f"PersistentVolume {name}",
                f"{ending.describe(volume, ending.holders(volume))}: it goes as soon as its claim does",
                "keep the claim, and back the release up; nothing can take the deletion back",
            )
            for name, volume in self.volumes.items()
            if ending.is_ending(volume)
        ]

    def scaled_to_zero(self) -> Obstacle | None:
        """Return that the StatefulSet is to have no pod, by whom and since when; None when it is to have some."""
        found = self.statefulset()
        if not found or found["spec"].get("replicas", 1):
            return None
        name, place = found["metadata"]["name"], found["metadata"]["namespace"]
        return Obstacle(
            f"StatefulSet {name}",
            f"scaled to 0 {by_whom(found)}",
            f"`kubectl -n {place} scale statefulset {name} --replicas=1` brings it back",
        )

    def why_not_live(self) -> Obstacle | None:
        """Return what by itself keeps a release from being live, None when nothing of the kind is seen."""
        found = self.ending()
        return found[0] if found and self.is_ending else self.scaled_to_zero() or next(iter(found), None)

    def warnings(self) -> list[str]:
        """Return what an operator has to know of what is there, whatever is going to be done."""
        scaled = self.scaled_to_zero()
        found = [
            *self.ending(),
            *self.lost_with_the_pod(),
            *self.volumes_marked(),
            *([scaled] if scaled else []),
        ]
        return list(map(str, found))

    def _of_namespace(self, namespace: Object) -> Obstacle:
        name = namespace["metadata"]["name"]
        held = [*ending.holders(namespace), *self.held]
        remedy = (
            "let the owners of these finalizers finish their work, or take the finalizers away if they are gone"
            if self.held
            else f"wait until it is gone; `kubectl get namespace {name} -o yaml` says under status what it waits for"
        )
        return Obstacle(f"Namespace {name}", ending.describe(namespace, held), remedy)

    def _of_object(self, obj: Object) -> Obstacle:
        node = self.nodes.get(obj.get("spec", {}).get("nodeName", "")) if obj["kind"] == "Pod" else None
        return Obstacle(
            " ".join(key(obj)),
            ending.describe(obj, ending.holders(obj, node)),
            ending.remedy(obj, node),
            grace=ending.grace_left(obj, self.now),
        )

    def _of_claim(self, claim: Object) -> Obstacle:
        name, place = claim["metadata"]["name"], claim["metadata"]["namespace"]
        volume = claim["spec"].get("volumeName", "")
        keeps = self.volumes.get(volume, {}).get("spec", {}).get("persistentVolumeReclaimPolicy") == _KEEPS
        users = [pod["metadata"]["name"] for pod in self.objects if name in _mounted(pod)]
        held = [f"pod {user}, which mounts it" for user in users]
        held += [f"its finalizer {one}" for one in ending.finalizers(claim)]
        end = f"when pod {users[0]} ends, it goes" if users else "it goes"
        seen = f"{ending.describe(claim, held)}: {end}, " + (
            f"and its volume {volume} is kept (Retain)" if keeps else "with its volume and all data"
        )
        retain = f'`kubectl patch pv {volume} -p \'{{"spec":{{"persistentVolumeReclaimPolicy":"Retain"}}}}\'`'
        steps = [
            *([f"do not end pod {users[0]}"] if users else ()),
            *([f"let the volume outlive its claim: {retain}"] if volume and not keeps else ()),
            *(
                ["read the records out through the running release, and add them to another one"]
                if users
                else ()
            ),
        ]
        remedy = (
            ", ".join(steps)
            or f"look at what volume {volume or 'it had'} holds before anything is applied again"
        )
        return Obstacle(
            f"{_CLAIM} {name} in {place}", seen, f"{remedy}; its deletion cannot be undone", final=True
        )


def observe(kube: Kube, namespace: str) -> Situation:
    """Look at a namespace; what we may not look at (volumes, nodes) stays unknown. Raises `ApiError`."""
    around = kube.get("Namespace", namespace)
    if not around:
        return Situation()
    found = in_parallel([partial(kube.list, kind, namespace) for kind in KINDS if kind != "Secret"])
    # A list of them would show those of others, which not everybody may see.
    secrets = in_parallel([partial(kube.get, "Secret", name, namespace) for name in SECRETS])
    objects = [obj for some in (*found, filter(None, secrets)) for obj in some]
    volumes = {claim["spec"].get("volumeName", "") for claim in objects if is_claim(claim)} - {""}
    nodes = {
        obj["spec"].get("nodeName", "") for obj in objects if obj["kind"] == "Pod" and ending.is_ending(obj)
    } - {""}
    return Situation(
        around,
        objects,
        {name: obj for name in volumes if (obj := _seen(kube, "PersistentVolume", name))},
        {name: obj for name in nodes if (obj := _seen(kube, "Node", name))},
        tuple(_held(kube, namespace)) if ending.is_ending(around) else (),
    )


def lasting(
    look: Callable[[], list[Obstacle]], deadlines: Deadlines, progress: Callable[[str], None]
) -> list[Obstacle]:
    """Return the obstacles that do not go by themselves, an empty list when all have gone.

    What is final is returned at once, the rest once its grace and a doubt's time have passed; a line says what is waited
    for, and for how long.
    """
    found = look()
    if not found or any(each.final for each in found):
        return found
    patience = max(each.grace for each in found) + deadlines.doubt
    progress(
        f"waiting for at most {patience:.0f} s: " + "; ".join(f"{each.what} is {each.seen}" for each in found)
    )
    with suppress(Timeout):
        wait_for(lambda: not look(), patience, lambda: "")
    return look()


def of_apply(kube: Kube, namespace: str, objects: Objects) -> list[Obstacle]:
    """Return what keeps an apply of some objects from ending well; raises `ApiError`."""
    return hindrances(kube, observe(kube, namespace), objects)


def hindrances(kube: Kube, seen: Situation, objects: Objects) -> list[Obstacle]:
    """Return what of a situation keeps an apply of some objects from ending well; raises `ApiError`."""
    workload = [obj for obj in objects if obj["kind"] == "StatefulSet"]
    mounted = {name for statefulset in workload for name in claim_names(statefulset)}
    lost = seen.lost_with_the_pod(mounted)
    touched = bool(lost) and any(replaces_pod(kube, statefulset) for statefulset in workload)
    return [*(lost if touched else ()), *seen.ending(set(map(key, objects)))]


def of_roll_back(kube: Kube, namespace: str, *, remove_data: bool) -> list[Obstacle]:
    """Return what keeps a roll back from ending well: data that would not stay, and what does not go; raises `ApiError`."""
    seen = observe(kube, namespace)
    return [*(() if remove_data else seen.lost_with_the_pod()), *seen.ending()]


def of_copy(kube: Kube, namespace: str, claim: str) -> list[Obstacle]:
    """Return what keeps a claim from being copied, and its release from coming back after that; raises `ApiError`."""
    seen = observe(kube, namespace)
    return [*seen.lost_with_the_pod({claim}), *seen.ending({(_CLAIM, claim)})]


def lost(before: Objects, now: Situation) -> list[Obstacle]:
    """Return the claims that were there before and are not any more, with what they held."""
    there = {obj["metadata"]["uid"] for obj in now.objects}
    return [
        Obstacle(
            f"{_CLAIM} {claim['metadata']['name']}",
            "gone, and the data that it held with it: somebody has deleted it meanwhile",
            f"see whether its volume {claim['spec'].get('volumeName', '')} still exists (`kubectl get pv`); if it does not, "
            "bring the data back from a backup (--restore)",
            final=True,
        )
        for claim in filter(is_claim, before)
        if claim["metadata"]["uid"] not in there
    ]


def summary(obstacles: Sequence[Obstacle]) -> tuple[str, str]:
    """Say what was seen of some obstacles, and what to do about them."""
    return (
        "; ".join(f"{each.what} is {each.seen}" for each in obstacles),
        "; ".join(dict.fromkeys(each.remedy for each in obstacles)),
    )


def replaces_pod(kube: Kube, statefulset: Object) -> bool:
    """Whether an apply of a StatefulSet would end the pod that is there, or make one where none is; by a dry run."""
    there = kube.get(*key(statefulset), statefulset["metadata"]["namespace"])
    if not there:
        return True
    try:
        then = kube.apply(statefulset, dry_run=True)
    except ApiError:  # then it replaces nothing, and the dry run says why
        return False
    return bool(
        then["spec"]["template"] != there["spec"]["template"]
        or then["spec"].get("replicas") != there["spec"].get("replicas")
    )


def is_left_by_backup(statefulset: Object) -> bool:
    """Whether it was a backup that set the number of pods last: an apply of the suite is another operation."""
    found = owners.owner(statefulset, *_REPLICAS)
    return found is not None and (found.manager, found.operation) == (FIELD_MANAGER, "Update")


def by_whom(statefulset: Object) -> str:
    """Say who set the number of pods, and when."""
    found = owners.owner(statefulset, *_REPLICAS)
    if found and is_left_by_backup(statefulset):
        return f"for a backup that was killed, since {found.since}"
    if found:
        return f'by "{found.manager}" since {found.since}'
    status = owners.owner(statefulset, "status", "observedGeneration")
    since = f" since {status.since}" if status else ""
    return f"by a user whose name is not recorded (as with `kubectl scale`){since}"


def _mounted(pod: Object) -> set[str]:
    if pod["kind"] != "Pod":
        return set()
    volumes = pod["spec"].get("volumes") or ()
    return {one["persistentVolumeClaim"]["claimName"] for one in volumes if "persistentVolumeClaim" in one}


def _seen(kube: Kube, kind: str, name: str) -> Object | None:
    with suppress(ApiError):  # not everybody may look at what belongs to the whole cluster
        return kube.get(kind, name)
    return None


def _held(kube: Kube, namespace: str) -> Iterator[str]:
    """Name the objects that keep a namespace, as far as the cluster tells them."""
    with suppress(ApiError):
        yield from ending.held_inside(kube.everything(namespace).objects)
