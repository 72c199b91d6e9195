"""Judges whether a Gateway takes the route of a release; pure.

The rules are those of the Gateway API: a route attaches to a listener that it names, from a namespace that the listener
allows, for a host that the listener has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from support.kube.exposure import Parent
    from support.kube.objects import Object

_KIND: Final = "HTTPRoute"
# Conditions of a listener without which it serves nothing.
_NEEDED: Final = ("Accepted", "ResolvedRefs", "Programmed")


@dataclass(frozen=True)
class Guest:
    """Where a route comes from: its namespace, that one's labels (None: not known yet), and the hosts that it is for."""

    namespace: str
    labels: Mapping[str, str] | None
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class Flaw:
    """Why a Gateway does not take a route; `of` is what is wrong: the "gateway" or one "section" of it."""

    of: str
    why: str


def flaws(gateway: Object | None, parent: Parent, guest: Guest) -> Iterator[Flaw]:
    """Yield why a Gateway, as it is on the cluster (None: there is none), does not take a route; nothing where it does."""
    if gateway is None:
        yield Flaw("gateway", f"there is no {parent}")
        return
    if refusal := _denied(gateway.get("status", {}).get("conditions"), ("Accepted", "Programmed")):
        yield Flaw("gateway", f"{parent} does not serve ({refusal})")
    listeners = {one["name"]: one for one in gateway["spec"].get("listeners") or ()}
    if parent.section and parent.section not in listeners:
        yield Flaw(
            "section", f"{parent} has no listener {parent.section}, but {', '.join(sorted(listeners))}"
        )
        return
    states = {one["name"]: one for one in gateway.get("status", {}).get("listeners") or ()}
    # A route that names no listener attaches to each that takes it.
    judged = [
        [
            f"listener {name} of {parent} {why}"
            for why in _of_listener(one, states.get(name, {}), parent, guest)
        ]
        for name, one in listeners.items()
        if parent.section in {"", name}
    ]
    if all(judged):
        yield from (Flaw("section", why) for reasons in judged for why in reasons)


def _of_listener(listener: Object, state: Object, parent: Parent, guest: Guest) -> Iterator[str]:
    if parent.protocol and listener["protocol"] != parent.protocol:
        yield f"speaks {listener['protocol']}, not {parent.protocol}"
    if refusal := _denied(state.get("conditions"), _NEEDED):
        yield f"does not serve ({refusal})"
    allowed = listener.get("allowedRoutes") or {}
    kinds = [one["kind"] for one in allowed.get("kinds") or ()]
    if kinds and _KIND not in kinds:
        yield f"takes no {_KIND}, but {', '.join(kinds)} (allowedRoutes.kinds)"
    if why := _shut(allowed.get("namespaces") or {}, parent, guest):
        yield f"{why} (allowedRoutes.namespaces)"
    pattern = listener.get("hostname") or "*"
    if others := [host for host in guest.hosts if not covers(pattern, host)]:
        yield f"is for {pattern}, not for {', '.join(others)}"


def _shut(allowed: Mapping[str, Any], parent: Parent, guest: Guest) -> str:
    """Say why routes of a namespace are not allowed, "" where they are, or where that is not known."""
    source = allowed.get("from", "Same")
    if source == "Same" and guest.namespace != parent.namespace:
        return f"takes routes of namespace {parent.namespace} alone, not of others"
    if source == "Selector" and guest.labels is not None and not _selects(allowed["selector"], guest.labels):
        return f"takes no routes of a namespace with the labels of {guest.namespace}"
    return f"takes routes of namespaces {source}" if source not in {"Same", "All", "Selector"} else ""


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector of Kubernetes selects labels."""
    return (selector.get("matchLabels") or {}).items() <= labels.items() and all(
        _meets(one, labels.get(one["key"])) for one in selector.get("matchExpressions") or ()
    )


def _meets(requirement: Mapping[str, Any], value: str | None) -> bool:
    values: Sequence[str] = requirement.get("values") or ()
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[requirement["operator"]]


def _denied(conditions: Sequence[Object] | None, types: Sequence[str]) -> str:
    """Return reason and message of the first condition that says no, "" where none does: silence is no refusal."""
    for one in conditions or ():
        if one["type"] in types and one["status"] == "False":
            return f"{one['reason']}: {one.get('message', '')}"
    return ""


def covers(pattern: str, host: str) -> bool:
    """Whether a host name of a listener is for a host; one that begins with "*." is for all below it, at any depth."""
    return pattern in {"*", host} or (pattern.startswith("*.") and host.endswith(pattern[1:]))
