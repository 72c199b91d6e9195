"""The names under which neighbours in the cluster find a release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support import http
from support.access import BEAT
from support.pods import POD
from support.wait import wait_for
from support.ways import POD_PORT, SERVICE, SERVICE_PORT, inside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.http import Reply
    from support.namespace import Live
    from support.vantage import Vantage
    from support.wait import Deadlines
    from support.ways import WayName


@dataclass(frozen=True)
class Name:
    """A name, up to the namespace, and the port at which it answers."""

    way: WayName
    name: str
    port: int


# By the documented names, which are those of a release in the namespace "chroma".
NAMES: Final[Mapping[str, Name]] = {
    f"{one.name}.chroma.svc.cluster.local": one
    for one in (
        Name("service", SERVICE, SERVICE_PORT),
        Name("pod", f"{POD}.chromadb-headless", POD_PORT),
    )
}


def ask_for_heartbeat(live: Live, vantage: Vantage, deadlines: Deadlines, name: Name) -> Reply:
    """Ask for the heartbeat under a name; the pod's may still lead to the pod before it, as long as DNS remembers that."""
    host = f"{name.name}.{live.namespace}.svc.cluster.local"
    way = inside(name.way, vantage, host, name.port)
    return wait_for(
        lambda: http.ask(way, BEAT.method, BEAT.path),
        deadlines.answering,
        lambda: f"no neighbour gets an answer at {host}:{name.port}",
        (http.Unanswered,),
    )
