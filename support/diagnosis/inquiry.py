"""Looks at what stands between callers and a release before a cause is named: objects, events, the ingress controller."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from support.diagnosis.findings import Cause, Finding, Trouble
from support.diagnosis.policies import Controller
from support.diagnosis.troubles import diagnose
from support.kube.errors import ApiError
from support.kube.exposure import parents
from support.kube.secrets import without_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.core.symptoms import Symptom
    from support.kube.client import Kube
    from support.kube.objects import Object, Objects


# All that a release consists of, and what Kubernetes makes of it.
KINDS: Final = (
    "Pod",
    "StatefulSet",
    "PersistentVolumeClaim",
    "Service",
    "EndpointSlice",
    "Ingress",
    "HTTPRoute",
    "ConfigMap",
    "Secret",
    "ControllerRevision",
    "NetworkPolicy",
)


def objects_of(kube: Kube, namespace: str) -> Objects:
    """Return all that a release consists of, and what Kubernetes makes of it; of Secrets the values stay behind."""
    return [without_values(obj) for kind in KINDS for obj in kube.list(kind, namespace)]


def look_into(kube: Kube, namespace: str, seen: Symptom) -> Finding | None:
    """Return what troubles a caller of a namespace's release who saw this, by what is there; None where unknown."""
    known = diagnose(seen)
    if known is None or not (known.is_silence or known.kind is Trouble.HOST):
        return known
    try:
        objects = objects_of(kube, namespace)
        events = kube.list("Event", namespace)
    except ApiError as error:
        if error.unanswered:
            raise
        return known
    return diagnose(seen, [*objects, *events], controller_of(kube, objects))


def closer(kube: Kube, namespace: str, finding: Finding) -> Finding:
    """Return a finding with what was seen on the way to a release that is ready, and with the nodes that took no pod."""
    if finding.kind is Cause.UNSCHEDULABLE:
        return replace(finding, detail=finding.detail + _nodes(kube))
    if not finding.unreached:
        return finding
    found = look_into(kube, namespace, finding.unreached)
    if not found:
        return finding
    seen = "" if found.detail == str(finding.unreached) else f": {found.detail}"
    return replace(
        finding,
        detail=f"its pod is ready, but {found.kind}{seen}; {finding.unreached}",
        advice=found.remedy,
        behind=found,
    )


def controller_of(kube: Kube, objects: Objects) -> Controller | None:
    """Return the controller of a release's Ingress or Gateway: the one behind the Service whose address it has published.

    None where that is unknown, or may not be looked at.
    """
    try:
        published = {address for obj in objects for address in _exposed_at(kube, obj)}
        if not published:
            return None
        service = next((one for one in kube.list("Service") if published & set(_addresses(one))), None)
        if service is None:
            return None
        home = service["metadata"]["namespace"]
        around = kube.get("Namespace", home)
        selector = service["spec"].get("selector")
        pods = kube.list("Pod", home, selector) if selector else []
    except ApiError as error:
        if error.unanswered:
            raise
        return None
    return Controller(around, pods) if around else None


def _exposed_at(kube: Kube, obj: Object) -> Iterator[str]:
    """Yield the addresses at which an Ingress, or the Gateways of a route, serve."""
    if obj["kind"] == "Ingress":
        yield from _published(obj)
    if obj["kind"] == "HTTPRoute":
        for parent in parents(obj):
            gateway = kube.get("Gateway", parent.name, parent.namespace) or {}
            yield from (one["value"] for one in gateway.get("status", {}).get("addresses") or ())


def _published(ingress: Object) -> Iterator[str]:
    for one in ingress.get("status", {}).get("loadBalancer", {}).get("ingress") or ():
        yield from filter(None, (one.get("ip"), one.get("hostname")))


def _addresses(service: Object) -> Iterator[str]:
    yield from _published(service)
    yield from service["spec"].get("externalIPs") or ()
    yield from service["spec"].get("clusterIPs") or ()


def _nodes(kube: Kube) -> str:
    """Say which nodes are cordoned, tainted or not ready; nothing where none is, or where we may not look."""
    try:
        nodes = kube.list("Node")
    except ApiError as error:
        if error.unanswered:
            raise
        return ""
    amiss = [f"node {node['metadata']['name']} {said}" for node in nodes if (said := _amiss(node))]
    return f" ({'; '.join(amiss)})" if amiss else ""


def _amiss(node: Object) -> str:
    if node["spec"].get("unschedulable"):
        return "is cordoned"
    keeping = {"NoSchedule", "NoExecute"}
    taints = [
        f"{one['key']}={one.get('value', '')}:{one['effect']}"
        for one in node["spec"].get("taints") or ()
        if one["effect"] in keeping
    ]
    return f"is tainted with {', '.join(taints)}" if taints else ""
