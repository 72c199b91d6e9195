"""Asks the nodes of a cluster whether they reach the registry: they alone pull, and may know it under another name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from support.core.wait import Timeout, wait_for
from support.diagnosis import causes
from support.diagnosis.observation import Observation
from support.kube import probe
from support.kube.containers import own, state

if TYPE_CHECKING:
    from support.core.wait import Deadlines
    from support.diagnosis.findings import Finding
    from support.kube.client import Kube
    from support.kube.objects import Object, Objects

# Nobody pushes it: that a node hears so is the registry's answer, and nothing has to be loaded for it.
_IMAGE: Final = "asked-for-by-chroma-conformance:0"


def holds_images_of(nodes: Objects, registry: str) -> bool:
    """Whether some node has an image that came from a registry."""
    names = [
        name
        for node in nodes
        for image in node.get("status", {}).get("images", [])
        for name in image.get("names", [])
    ]
    return any(name.startswith(f"{registry}/") for name in names)


def silence(kube: Kube, repository: str, namespace: str, run_id: str, deadlines: Deadlines) -> str | None:
    """Let a node pull from a repository ("registry/project"), and return why it had no answer; None when it had one.

    The pod that asks never runs, and is gone afterwards. Raises `ApiError` or `Timeout` when no node could be asked.
    """
    name = f"chroma-conformance-asks-{run_id}"
    pod = probe.pod(name, namespace, run_id, f"{repository}/{_IMAGE}", [])
    kube.create(pod)
    try:
        word = wait_for(partial(_word_of_node, kube, pod), deadlines.doubt, lambda: "no word of a node")
    except Timeout:
        if state(_now(kube, pod)) == "not scheduled":
            raise Timeout(f"no node took pod {namespace}/{name}") from None
        return f"no answer within {deadlines.doubt:g} s"
    finally:
        kube.delete("Pod", name, namespace, grace=0)
    # What is certain is a registry's own no.
    return None if word.terminal else word.detail.rpartition("failed to do request: ")[2]


def _word_of_node(kube: Kube, pod: Object) -> Finding | None:
    """Return what a node says of its pull, None as long as it says nothing."""
    now, seen = _now(kube, pod), Observation(events=kube.list("Event", pod["metadata"]["namespace"]))
    return causes.not_pulled(now, seen.events_of(now)) if "uid" in now["metadata"] else None


def _now(kube: Kube, pod: Object) -> Object:
    return own(kube.get("Pod", pod["metadata"]["name"], pod["metadata"]["namespace"]) or pod, pod)
