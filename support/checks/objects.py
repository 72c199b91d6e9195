"""Compares the live objects of a release with the documented ones."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from support.checks.access.requests import BEAT
from support.core.component import SERVICE
from support.core.wait import Deadlines, wait_for
from support.deploy.ways_in import POD
from support.network import http
from support.network.way import POD_PORT, SERVICE_PORT, WayName, via_vantage
from support.platform.certificate import platform_certificate
from support.release import documented
from support.release.documented import ABSENT, DIFFERENCES, OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.deploy.live import Live
    from support.kube.objects import Object
    from support.network.http import Response
    from support.network.vantage import Vantage
    from support.release.documented import Shape


@dataclass(frozen=True)
class ObservedObject:
    """What an operator sees of one object: `seen` without the values of a Secret, None where it is not there.

    `facts` are what the words in braces stand for.
    """

    what: str
    live: Live
    seen: Object | None = field(repr=False)
    facts: Mapping[str, str]

    @property
    def name(self) -> str:
        """The object's kind and name."""
        return f"{OBJECTS[self.what].kind} {filled(OBJECTS[self.what].name, self.facts)}"


def look(live: Live, what: str) -> ObservedObject:
    """Look at an object of `OBJECTS` as it is on the cluster."""
    facts = {
        "namespace": live.namespace,
        "host": live.host,
        "image": live.release.chroma.image,
        **{name: str(value) for name, value in live.inventory if name != "admin_password"},
    }
    one = OBJECTS[what]
    where = None if one.kind == "Namespace" else live.namespace
    seen = live.kube.get(one.kind, filled(one.name, facts), where)
    if seen and one.kind == "Secret":
        seen = {**seen, "data": _origins(live, seen.get("data") or {})}
    return ObservedObject(what, live, seen, facts)


def assert_documented(found: ObservedObject) -> None:
    """Assert that an object is as documented, but for the deliberate differences of its release."""
    _assert_like(found, documented.expected(found.what, found.live.release), "not as documented")


def assert_different(found: ObservedObject, words: str) -> None:
    """Assert that an object differs from the documentation in the way that `DIFFERENCES` tells."""
    difference = DIFFERENCES[words]
    assert words in documented.differences(found.live.release), f"nothing is reported of it: {words}"
    _assert_like(found, difference.instead, f"no longer so ({difference.why})", closed=False)


def filled(shape: Any, facts: Mapping[str, str]) -> Any:
    """Return a shape with the facts in place of the words in braces."""
    if isinstance(shape, str):
        return shape.format_map(facts)
    if isinstance(shape, dict):
        return {key: filled(value, facts) for key, value in shape.items()}
    if isinstance(shape, list):
        return [filled(value, facts) for value in shape]
    return shape


def unlike(shape: Any, seen: Any, path: str = "", *, closed: bool = True) -> Iterator[str]:
    """Yield a line for everything in which an object is not as a shape says.

    `closed`: a list of named items holds those of the shape and no others.
    """
    if isinstance(shape, dict) and seen is not None:
        yield from _unlike_mapping(shape, seen, path, closed=closed)
    elif isinstance(shape, list) and isinstance(seen, list) and len(shape) == len(seen):
        for number, (promised, there) in enumerate(zip(shape, seen, strict=True)):
            yield from unlike(promised, there, f"{path}[{number}]", closed=closed)
    elif shape != seen:
        yield f"{path}: promised {_word(shape)}, seen {_word(seen)}"


def _unlike_mapping(shape: Shape, seen: Any, path: str, *, closed: bool) -> Iterator[str]:
    if isinstance(seen, list):
        seen = {item["name"]: item for item in seen}
        more = sorted(seen.keys() - shape.keys()) if closed else []
        yield from (f"{path}.{name}: promised nothing of this name" for name in more)
    if not isinstance(seen, dict):
        yield f"{path}: promised {_word(shape)}, seen {_word(seen)}"
        return
    for key, value in shape.items():
        yield from unlike(value, seen.get(key), f"{path}.{key}".lstrip("."), closed=closed)


def _assert_like(found: ObservedObject, shape: Shape, fault: str, *, closed: bool = True) -> None:
    assert found.seen is not None, f"{found.name} is not there"
    lines = list(unlike(filled(shape, found.facts), found.seen, closed=closed))
    assert not lines, "\n  ".join((f"{found.name} is {fault}:", *lines))


def _word(value: Any) -> str:
    return "nothing" if value is ABSENT else repr(value)


def _origins(live: Live, data: Mapping[str, str]) -> dict[str, str]:
    """Return for each value of a Secret where it comes from, never the value."""
    inventory = live.inventory
    tls = platform_certificate(live.kube, inventory)
    known = {
        inventory.admin_password.get_secret_value().encode(): "ADMIN_PASSWORD",
        inventory.admin_username.encode(): "admin_username",
        tls.certificate: "the platform's certificate",
        tls.key: "the platform's key",
    }
    return {key: known.get(base64.b64decode(value), "something else") for key, value in data.items()}


@dataclass(frozen=True)
class Name:
    """A name, up to the namespace, and the port at which it answers."""

    way: WayName
    name: str
    port: int


# By the documented names, which are those of a release in the namespace "chroma" of a cluster with the usual domain.
NAMES: Final[Mapping[str, Name]] = {
    f"{one.name}.chroma.svc.cluster.local": one
    for one in (
        Name("service", SERVICE, SERVICE_PORT),
        Name("pod", f"{POD}.chromadb-headless", POD_PORT),
    )
}


def ask_for_heartbeat(live: Live, vantage: Vantage, deadlines: Deadlines, name: Name) -> Response:
    """Ask for the heartbeat under a name; the pod's may still lead to the pod before it, as long as DNS remembers that."""
    host = live.inventory.inside(name.name, live.namespace)
    way = via_vantage(name.way, vantage, host, name.port)
    return wait_for(
        lambda: http.ask(way, BEAT.method, BEAT.path),
        deadlines.answering,
        lambda: f"no neighbour gets an answer at {host}:{name.port}",
        (http.NoResponse,),
    )
