"""What exposes a host to users: an Ingress, or an HTTPRoute of the Gateway API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from support.kube.objects import Object

# The kinds whose objects lead a host to a Service.
KINDS: Final = ("Ingress", "HTTPRoute")


@dataclass(frozen=True)
class Parent:
    """What a route names as its parent: a Gateway and one of its listeners, and what the listener has to speak.

    An empty `section` means any.
    """

    namespace: str
    name: str
    section: str
    protocol: str = ""

    def __str__(self) -> str:
        return f"Gateway {self.namespace}/{self.name}"


def hosts(obj: Object) -> list[str]:
    """Return the host names that an object exposes; none of one of another kind, or that is for every host."""
    if obj["kind"] == "Ingress":
        return [rule["host"] for rule in obj["spec"].get("rules") or () if rule.get("host")]
    return list(obj["spec"].get("hostnames") or ()) if obj["kind"] == "HTTPRoute" else []


def doors(obj: Object) -> set[str]:
    """Return through what its hosts are exposed: the class of an Ingress, or the Gateways that are parents of a route."""
    if obj["kind"] == "Ingress":
        return {str(obj["spec"].get("ingressClassName") or "")}
    return {f"{one.namespace}/{one.name}" for one in parents(obj)}


def parents(route: Object) -> list[Parent]:
    """Return the Gateways that a route names as its parents."""
    home = route["metadata"].get("namespace", "")
    return [
        Parent(one.get("namespace", home), one["name"], one.get("sectionName", ""))
        for one in route["spec"].get("parentRefs") or ()
        if one.get("kind", "Gateway") == "Gateway"
    ]
