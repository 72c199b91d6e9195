"""Removes what the suite made, and nothing else, and watches until it is gone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from support.core.parallel import in_parallel
from support.core.wait import wait_for
from support.deploy.objects import is_announcement, is_claim
from support.deploy.volumes import claimed_by, claimed_from, counted, of_namespaces, stays
from support.kube.errors import ApiError
from support.kube.labels import OWNED, is_ours
from support.kube.objects import key
from support.kube.watch import Watch

if TYPE_CHECKING:
    from support.core.wait import Deadlines
    from support.kube.client import Kube
    from support.kube.discovery import Contents
    from support.kube.objects import Key, Object, Objects

# The kinds that releases and their faults are made of, the makers of pods first: a pod goes after what would make
# it again.
KINDS: Final = (
    "StatefulSet",
    "Pod",
    "Ingress",
    "HTTPRoute",
    "Service",
    "PersistentVolumeClaim",
    "ConfigMap",
    "Secret",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
)

# What serves, and goes first.
_RUNNING: Final = {"StatefulSet", "Pod"}

# What Kubernetes puts into every namespace by itself, and what it makes of Services without owning it.
_GIVEN: Final = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
_MIRRORS: Final = {"Endpoints"}


def owned(kube: Kube, namespace: str) -> Objects:
    """Return every object in a namespace that carries the suite's labels, after the namespace, if that does as well."""
    around = kube.get("Namespace", namespace)
    if not around:
        return []
    found = in_parallel([partial(kube.list, kind, namespace, OWNED) for kind in KINDS])
    return [around] * is_ours(around) + [obj for objects in found for obj in objects]


def foreign(kube: Kube, namespace: str) -> Contents:
    """Return, as metadata, what is in a namespace and is not the suite's, and the APIs that hide whether there is more."""
    inside = _inside(kube, namespace)
    return replace(inside, objects=[obj for obj in inside.objects if not is_ours(obj)])


def traces(kube: Kube, namespace: str) -> list[Key]:
    """Return everything that speaks of a namespace: itself, what is in it, and the volumes that are claimed from it."""
    around = kube.get("Namespace", namespace)
    # A volume that its class keeps is the platform's once its claim is gone.
    claims = {claim["metadata"]["uid"] for claim in kube.list("PersistentVolumeClaim", namespace)}
    volumes = [
        obj
        for obj in kube.list("PersistentVolume")
        if claimed_from(obj) == namespace and (claimed_by(obj) in claims or not stays(obj))
    ]
    return [key(obj) for obj in ([around] if around else []) + _inside(kube, namespace).objects + volumes]


def _inside(kube: Kube, namespace: str) -> Contents:
    """Return, as metadata, what a namespace holds, but for what Kubernetes makes of it or puts there by itself."""
    found = kube.everything(namespace)
    inside = [
        obj
        for obj in found.objects
        if not obj["metadata"].get("ownerReferences")
        and key(obj) not in _GIVEN
        and obj["kind"] not in _MIRRORS
    ]
    return replace(found, objects=inside)


def why_stays(around: Object, others: Contents) -> str:
    """Say why a namespace that holds nothing of the suite any more stays; "" where nothing keeps it."""
    name = around["metadata"]["name"]
    if not is_ours(around):
        return f"namespace {name} stays, since the suite has not made it; where nobody needs it, `kubectl delete namespace {name}`"
    return why_kept(name, others)


def why_kept(namespace: str, others: Contents) -> str:
    """Say why a namespace stays, by what of others it holds; "" where nothing keeps it."""
    if others.objects:
        named = ", ".join(sorted(" ".join(key(obj)) for obj in others.objects))
        return (
            f"namespace {namespace} stays, since it holds what is not the suite's: {named}; where nobody needs that, "
            f"`kubectl delete namespace {namespace}`"
        )
    if others.forbidden:
        return (
            f"namespace {namespace} stays, since it cannot be seen whether it holds anything of others: this user may not list "
            f"{', '.join(others.forbidden)} there; let an administrator grant that, or `kubectl delete namespace {namespace}`"
        )
    if others.unseen:
        first = others.unseen[0]
        return (
            f"namespace {namespace} stays, since it cannot be seen whether it holds anything of others: nobody answers "
            f"for {', '.join(others.unseen)}; see `kubectl get apiservices`, and remove the one whose owner is gone "
            f"(`kubectl delete apiservice {first}`)"
        )
    return ""


def left_by(kube: Kube, prefix: str) -> list[str]:
    """Say what throw-away namespaces whose names begin so leave: a line for kept volumes, and one for those on their way out."""
    kept = of_namespaces(kube, prefix)
    names = [one["metadata"]["name"] for one in _listed(kube, "Namespace")]
    ending = sorted(name for name in names if name.startswith(prefix))
    return [
        *([counted(kept)] if kept else ()),
        *(
            [
                f"namespaces that are still being deleted, and go by themselves: {len(ending)}; `kubectl get namespaces {' '.join(ending)}`"
            ]
            if ending
            else ()
        ),
    ]


def _listed(kube: Kube, kind: str) -> Objects:
    try:
        return kube.list(kind, labels=OWNED)
    except ApiError:  # not everybody may list what belongs to the whole cluster
        return []


def _conditions(namespace: Object | None) -> str:
    """Say what a namespace's own conditions tell of why it is still there."""
    conditions = (namespace or {}).get("status", {}).get("conditions") or ()
    reasons = [
        f"{one['reason']}: {one.get('message', '')}" for one in conditions if one.get("status") == "True"
    ]
    return "; ".join(reasons) or "it says nothing of why"


def remove(kube: Kube, namespace: str, objects: Objects, deadlines: Deadlines) -> None:
    """Delete objects and wait until they, and the volumes of claims among them, are gone.

    Pods go before what they are made of: one that is still answering needs it. What announces them goes with them. Raises `Timeout` that names what is
    left, or what the API server refused.
    """
    first = [obj for obj in objects if obj["kind"] in _RUNNING or is_announcement(obj)]
    for wave in (first, [obj for obj in objects if obj not in first]):
        with Watch(kube, {obj["kind"] for obj in wave}, namespace) as watch:
            ask_for_removal(kube, namespace, wave)
            _wait_until_gone(watch, namespace, wave, deadlines)
    _wait_for_volumes(kube, objects, deadlines)


def remove_namespace(kube: Kube, namespace: str, objects: Objects, deadlines: Deadlines) -> None:
    """Delete a namespace and the objects in it at the same instant, and wait until all is gone.

    A namespace dies in rounds of 5 s: one when its objects are gone by then, three when it has to delete them itself.
    """
    with Watch(kube, {obj["kind"] for obj in objects}, namespace) as watch:
        kube.delete("Namespace", namespace)
        ask_for_removal(kube, namespace, objects)
        _wait_until_gone(watch, namespace, objects, deadlines)
    _wait_for_volumes(kube, objects, deadlines)
    wait_for(
        lambda: kube.get("Namespace", namespace) is None,
        deadlines.gone,
        lambda: f"namespace {namespace} not gone: {_conditions(kube.get('Namespace', namespace))}",
    )


def ask_for_removal(kube: Kube, namespace: str, objects: Objects, *, grace: int | None = None) -> None:
    """Delete objects without waiting; pods are given `grace` seconds (None: what they ask for)."""
    workload = [obj for obj in objects if obj["kind"] == "StatefulSet"]
    for wave in (workload, [obj for obj in objects if obj not in workload]):
        in_parallel([partial(_delete, kube, namespace, obj, grace) for obj in wave])


def _delete(kube: Kube, namespace: str, obj: Object, grace: int | None) -> None:
    kube.delete(*key(obj), namespace, grace=grace if obj["kind"] == "Pod" else None)


def _wait_until_gone(watch: Watch, namespace: str, objects: Objects, deadlines: Deadlines) -> None:
    uids = {obj["metadata"]["uid"] for obj in objects}

    def left() -> list[str]:
        return [" ".join(name) for name, obj in watch.latest().items() if obj["metadata"]["uid"] in uids]

    wait_for(lambda: not left(), deadlines.gone, lambda: f"not gone from {namespace}: {', '.join(left())}")


def _wait_for_volumes(kube: Kube, objects: Objects, deadlines: Deadlines) -> None:
    for claim in filter(is_claim, objects):
        if volume := claim["spec"].get("volumeName"):
            released = partial(_is_released, kube, volume)
            wait_for(released, deadlines.gone, lambda: f"volume {volume} not gone: {_state(kube, volume)}")


def _is_released(kube: Kube, volume: str) -> bool:
    found = kube.get("PersistentVolume", volume)
    return found is None or stays(found)


def _state(kube: Kube, volume: str) -> str:
    """Say in which state a volume is that does not go, and why, where that is known."""
    status = (kube.get("PersistentVolume", volume) or {}).get("status", {})
    return (
        ": ".join(status[one] for one in ("phase", "message") if status.get(one)) or "it says nothing of why"
    )
