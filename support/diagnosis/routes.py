"""Says what the controllers of a route's Gateways have against it; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.diagnosis.findings import Cause, Finding, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from support.kube.objects import Object

_ACCEPTED: Final = "Accepted"
_RESOLVED: Final = "ResolvedRefs"
_CAUSES: Final = {_ACCEPTED: Cause.ROUTE, _RESOLVED: Cause.BACKEND}
_TROUBLES: Final = {_ACCEPTED: Trouble.ROUTE, _RESOLVED: Trouble.BACKEND}


def causes(routes: Iterable[Object]) -> Iterator[Finding]:
    """Yield why a release behind some routes cannot go live.

    Not certain: a controller may see a route before it sees the Service, or the namespace, that it needs.
    """
    for route in routes:
        yield from (Finding(_CAUSES[kind], said, terminal=False) for kind, said in denials(route))


def troubles(route: Object) -> Iterator[Finding]:
    """Yield what keeps callers from what is behind a route."""
    yield from (Finding(_TROUBLES[kind], said) for kind, said in denials(route))


def denials(route: Object) -> Iterator[tuple[str, str]]:
    """Yield each condition by which a parent says no to an HTTPRoute as it stands: its type, and reason and message.

    A condition about an earlier generation says nothing, and a parent that has said nothing yet says no neither.
    """
    metadata = route["metadata"]
    for parent in route.get("status", {}).get("parents") or ():
        ref = parent["parentRef"]
        where = f"{ref.get('namespace', metadata.get('namespace'))}/{ref['name']}"
        for one in parent.get("conditions") or ():
            current = one.get("observedGeneration", 0) >= metadata.get("generation", 0)
            if one["type"] in {_ACCEPTED, _RESOLVED} and one["status"] == "False" and current:
                said = ": ".join(filter(None, (one["reason"], one.get("message"))))
                yield one["type"], f"HTTPRoute {metadata['name']}: Gateway {where} says {said}"
