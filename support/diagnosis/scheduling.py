"""Says what keeps a pod from finding a node, and what to do about that, by the scheduler's own reasons; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.kube.objects import Object, Objects

# By which autoscalers say that a node is on its way: cluster-autoscaler's word, and Karpenter's.
_NODE_IS_COMING: Final = {"TriggeredScaleUp", "Nominated"}

# What the scheduler says of nodes (measured on 1.34), and what to do about it; a message may hold several.
_REASONS: Final = {
    r"were unschedulable": (
        "a node is cordoned: see which (`kubectl get nodes` shows SchedulingDisabled) and why, and "
        "`kubectl uncordon` it"
    ),
    r"untolerated taint": (
        "a node is tainted: compare with `kubectl describe nodes`, and take the taint off (`kubectl taint nodes NODE "
        "KEY-`) or let the release tolerate it"
    ),
    r"didn't match Pod's node (affinity|selector)": (
        "no node has the labels that the pod asks for: compare its nodeSelector and affinity with `kubectl get nodes "
        "--show-labels`"
    ),
    r"volume node affinity conflict": (
        "the volume of the claim lies where no such node is: see `kubectl describe pv` and bring a node back there"
    ),
    r"affinity rules|topology spread constraints": (
        "the pod asks to be near or apart from others: see which pods are on the nodes (`kubectl get pods -A -o wide`)"
    ),
    r"Insufficient (?P<what>\S+?)[.,]": (
        "ask for less CPU and memory, or compare with what `kubectl describe nodes` has left"
    ),
    r"Too many pods": "the nodes hold as many pods as they may: see `kubectl describe nodes`",
    r"didn't have free ports": "another pod holds the port of the host that this one asks for",
    r"no nodes available": "the cluster has no node: see `kubectl get nodes`",
}
# Those that go when other pods end.
_FULL: Final = {
    sign for sign in _REASONS if sign.startswith(("Insufficient", "Too many pods", "didn't have free ports"))
}
_UNKNOWN: Final = "see what `kubectl describe pod` and `kubectl describe nodes` say of it"


def advice(message: str) -> str:
    """Return what to do about the scheduler's refusal: a remedy for each of its reasons."""
    # What it says of preemption repeats or follows from what it said of the nodes.
    said = message.partition(" preemption: ")[0]
    return "; ".join(advice for sign, advice in _REASONS.items() if re.search(sign, said)) or _UNKNOWN


def node_to_come(events: Objects) -> str:
    """Return what an autoscaler says of a node that is on its way for a pod, "" when it says nothing."""
    said = [
        f"{event['reason']}: {event['message']}" for event in events if event["reason"] in _NODE_IS_COMING
    ]
    return said[-1] if said else ""


def room_to_come(message: str) -> str:
    """Return what is waited for where nodes are only full just now, "" where the pod fits on none of them.

    The scheduler says so by its word on preemption: it helps nothing ("not helpful") where a node is too small in itself
    (measured on 1.34), and merely finds no victims where other pods hold the room, which they may give back.
    """
    nodes, _, preemption = message.partition(" preemption: ")
    reasons = {sign for sign in _REASONS if re.search(sign, nodes)}
    if reasons & _FULL and "No preemption victims found" in preemption:
        return "room on a node, which other pods hold just now"
    return ""


def refusals(pod: Object) -> Iterator[tuple[str, str]]:
    """Yield the reason and the message for which a pod has no node yet."""
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield condition.get("reason", ""), condition.get("message", "")
