"""What to do about a finding where no cluster can be asked: it ended with the run, or there never was one; pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from support.core.component import INGRESS, SERVICE
from support.diagnosis.findings import Cause, Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.diagnosis.findings import Finding

# What asks or changes a cluster that is there.
_ASKS_THE_CLUSTER: Final = re.compile(r"kubectl|--plan\b|--restore\b")

# Names of files are those of the evidence (`support/reporting/evidence.py`). Where a cause and a trouble share a sentence,
# they share what to do.
_IN_THE_EVIDENCE: Final[Mapping[Cause | Trouble, str]] = {
    Cause.NEVER_READY: (
        "compare the path of the readiness probe (live.yaml) with what the container's log says; if the pod is ready, look at "
        "what leads to it: Service, Ingress and token"
    ),
    Cause.UNSCHEDULABLE: (
        "ask for less CPU and memory: events.txt says which of them the node lacks; or run on a larger machine"
    ),
    Cause.CLAIM: "see in events.txt why the claim is not bound, and compare its storage class (live.yaml)",
    Cause.FAILING: "read the last lines of the container's previous.log: they say why it ended",
    Cause.LOST: "see in live.yaml which claim and which volume the pod mounts",
    Trouble.INSECURE: (
        "see in live.yaml what should ask for the token and does not (the gateway's configuration, Chroma's variables); do not "
        "deploy the release so"
    ),
    Trouble.HOST: f"compare host and class of Ingress {INGRESS} (live.yaml) with the host that callers ask for",
    Trouble.POLICY: (
        "see the NetworkPolicies in live.yaml, and let one of them admit the ingress controller: from its namespace, to port "
        "8000 of the pods with the label app=chroma"
    ),
    Trouble.SERVICE: (
        f"compare the selector of Service {SERVICE} with the labels of the pod (app=chroma), and its target with the pod's "
        "ports: all of them are in live.yaml"
    ),
    Trouble.POD: "read pods.txt, events.txt and the containers' logs; previous.log where one has restarted",
    Trouble.SILENCE: (
        f"see in turn whether pod chroma-0 is ready (pods.txt), Service {SERVICE} has endpoints and Ingress {INGRESS} has the "
        "host (live.yaml), and what the containers' logs say"
    ),
    Trouble.FULL: "give the claim more room, or write less; if there is room, the collection's index is broken",
}
_WHATEVER_IT_IS: Final = "read pods.txt, events.txt, troubles.txt and the containers' logs"

# Of a server that is known by its address alone.
_NAMES_OBJECTS: Final = re.compile(r"kubectl|\bpod\b|\bpods\b|Service|Ingress|\bclaim\b|HTTPRoute")
_AT_AN_ADDRESS: Final[Mapping[Cause | Trouble, str]] = {
    Trouble.SILENCE: (
        "see whether the server still runs, and what its log says of that moment: where it panics, it ends the connection "
        "without an answer; where something stands in front of it, ask the server itself"
    ),
    Trouble.FULL: "give the server's disk more room, or delete old collections; do not restart it before there is room",
    Trouble.BODY: "send smaller batches; Chroma itself takes 40 MiB, and what stands in front of it may take less",
}
_AT_ANY_ADDRESS: Final = "see what the log of the server says, and of what stands in front of it"


def at_an_address(finding: Finding | None) -> Finding | None:
    """Return a finding with what to do about it where a server is known by its address alone."""
    if finding is None or not _NAMES_OBJECTS.search(finding.remedy):
        return finding
    return replace(finding, advice=_AT_AN_ADDRESS.get(finding.kind, _AT_ANY_ADDRESS))


def remedy_afterwards(remedy: str, kind: Cause | Trouble | None = None) -> str:
    """Return what to do about a finding of this kind where its cluster has ended with the run.

    `remedy` is what to do where the cluster is still there; it stands if it asks nothing of it.
    """
    if not _ASKS_THE_CLUSTER.search(remedy):
        return remedy
    return _IN_THE_EVIDENCE.get(kind, _WHATEVER_IT_IS) if kind else _WHATEVER_IT_IS
