"""What a pod shows of its own containers: those that others inject at admission may be in any state, and count for nothing; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from support.kube.objects import Object, Objects

_ENDED: Final = {"Succeeded", "Failed"}
_SPECS: Final = ("initContainers", "containers")
_STATUSES: Final = ("initContainerStatuses", "containerStatuses")


def own(pod: Object, maker: Object | None) -> Object:
    """Return a pod without the containers that `maker` has not put there.

    `maker` is the StatefulSet that made it, or the pod as it was asked for; with None the pod is as it is.
    """
    names = _names(maker) if maker else set()
    if not names:
        return pod
    return {
        **pod,
        "spec": _only(names, pod.get("spec", {}), _SPECS),
        "status": _only(names, pod.get("status", {}), _STATUSES),
    }


def own_of(pod: Object, makers: Iterable[Object]) -> Object:
    """Return a pod without the containers that others have put there, if one of these StatefulSets has made it."""
    owners = [owner["uid"] for owner in pod["metadata"].get("ownerReferences", [])]
    return own(pod, next((maker for maker in makers if maker["metadata"].get("uid") in owners), None))


def injected(pod: Object, maker: Object | None) -> list[str]:
    """Say of each container that others have put into a pod what keeps it from being ready; nothing of those that are."""
    names = _names(maker) if maker else set()
    return [
        f"container {status['name']}, which something else has put there, is {_word(status)}"
        for status in statuses(pod)
        if names and status["name"] not in names and not status.get("ready") and not _is_done(status)
    ]


def concerns(pod: Object, event: Object) -> bool:
    """Whether an event is about a pod as such, or about a container that it shows."""
    of_container = re.search(r"\{(.+)\}$", event["involvedObject"].get("fieldPath") or "")
    names = {container["name"] for kind in _SPECS for container in pod.get("spec", {}).get(kind) or ()}
    return not (of_container and names) or of_container[1] in names


def statuses(pod: Object) -> Iterator[dict[str, Any]]:
    """Yield the states of all containers that a pod shows; a side-car is an init container that stays."""
    for kind in _STATUSES:
        yield from pod.get("status", {}).get(kind) or ()


def waiting(status: Object) -> dict[str, Any]:
    """Return why a container waits, empty when it does not."""
    return dict(status.get("state", {}).get("waiting", {}))


def ended(status: Object) -> dict[str, Any]:
    """Return how a container ended last, empty when it never has."""
    return dict(
        status.get("state", {}).get("terminated") or status.get("lastState", {}).get("terminated") or {}
    )


def ports(spec: Object) -> dict[int, str]:
    """Return the ports that the containers of a pod's specification declare, with their names; "" where one has none."""
    containers = (container for kind in _SPECS for container in spec.get(kind) or ())
    return {
        int(port["containerPort"]): port.get("name", "")
        for container in containers
        for port in container.get("ports") or ()
        if port.get("protocol", "TCP") == "TCP"
    }


def is_ready(pod: Object) -> bool:
    """Whether a pod is ready."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def state(pod: Object) -> str:
    """Say in a few words where a pod is on its way to being ready: "ContainerCreating", "not ready (1/2)"."""
    shown = list(statuses(pod))
    for status in shown:
        reason = waiting(status).get("reason", "PodInitializing")
        if reason != "PodInitializing":  # that says only that another container is not there yet
            return str(reason)
    if not shown:
        return "not scheduled" if not pod.get("spec", {}).get("nodeName") else "scheduled"
    ready = sum(1 for status in shown if status.get("ready"))
    return "ready" if ready == len(shown) else f"not ready ({ready}/{len(shown)})"


def phase(pod: Object) -> str:
    """Return the phase of a pod that runs to its end, by the containers that it shows: one that others inject never ends."""
    status = pod.get("status", {})
    words = str(status.get("phase", ""))
    states = [one.get("state", {}) for one in status.get("containerStatuses") or ()]
    if words in _ENDED or not states:
        return words
    if all("terminated" in one for one in states):
        return "Failed" if any(one["terminated"].get("exitCode") for one in states) else "Succeeded"
    return words if any("running" in one for one in states) else "Pending"


def _names(maker: Object) -> set[str]:
    spec = maker.get("spec", {})
    spec = spec.get("template", {}).get("spec", {}) if maker.get("kind") == "StatefulSet" else spec
    return {container["name"] for kind in _SPECS for container in spec.get(kind) or ()}


def _only(names: set[str], holder: Object, fields: tuple[str, ...]) -> Object:
    shown: dict[str, Objects] = {
        field: [one for one in holder[field] or () if one["name"] in names]
        for field in fields
        if field in holder
    }
    return {**holder, **shown}


def _is_done(status: Object) -> bool:
    """Whether a container has ended well: one that only prepares the pod does."""
    return bool(status.get("state", {}).get("terminated", {}).get("exitCode") == 0)


def _word(status: Object) -> str:
    return str(waiting(status).get("reason") or ended(status).get("reason") or "not ready")
