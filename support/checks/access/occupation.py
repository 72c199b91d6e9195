"""Neighbours without a token that keep connections to a release, and what becomes of it meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.checks.access.requests import BEAT, LIST
from support.core.promises import PromiseBroken
from support.core.wait import wait_for
from support.deploy.ways_in import address_of, pod_of
from support.kube import probe
from support.kube.errors import ApiError
from support.network import http
from support.network.way import POD_PORT, netloc, via_vantage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.network.vantage import Vantage

# Where the gateway answers the kubelet.
PROBES_PORT: Final = 8405
# Together they keep more connections than the gateway takes.
_NEIGHBOURS: Final = 3
_EACH: Final = 150
# What one address that has shown no token may hold at each port at most, with room for those that are ending.
_SHARES: Final[Mapping[int, int]] = {POD_PORT: 100, PROBES_PORT: 16}
# Lines of a neighbour's log, each a second's: what it holds once it has got as far as it gets.
_SETTLED: Final = 3


@dataclass(frozen=True)
class Occupation:
    """How connections are kept: at which port of the pod, what is sent on each first, and then each second."""

    port: int
    first: str = ""
    then: str = ""


LINE_END: Final = r"\r\n"
"""The end of a line, as the probe takes it."""
HOST: Final = "chroma"
"""The host that is asked for; any will do at the pod."""


def _begun(method: str, path: str, *headers: str) -> str:
    """Return a request whose headers have not ended yet, as the probe takes it."""
    return "".join(line + LINE_END for line in (f"{method} {path} HTTP/1.1", f"Host: {HOST}", *headers))


OCCUPATIONS: Final[Mapping[str, Occupation]] = {
    "stay silent": Occupation(POD_PORT),
    "keep the connection after a heartbeat": Occupation(POD_PORT, _begun("GET", BEAT.path) + LINE_END),
    "ask to switch protocols": Occupation(
        POD_PORT, _begun("GET", LIST.path, "Connection: Upgrade", "Upgrade: foo") + LINE_END
    ),
    "send their headers slowly": Occupation(POD_PORT, _begun("GET", LIST.path), f"X-Slow: yes{LINE_END}"),
    "send their bodies slowly": Occupation(
        POD_PORT, _begun("POST", LIST.path, "Content-Length: 1000000") + LINE_END, " "
    ),
    "stay silent at the port for probes": Occupation(PROBES_PORT),
}
PORTS: Final[Mapping[str, Occupation]] = {
    "for users": Occupation(POD_PORT),
    "for probes": Occupation(PROBES_PORT),
}


# How one connection is kept.
KEPT: Final[Mapping[str, Occupation]] = {
    "stays silent": OCCUPATIONS["stay silent"],
    "begins a request": Occupation(POD_PORT, _begun("GET", LIST.path)),
    "keeps the connection after a heartbeat": OCCUPATIONS["keep the connection after a heartbeat"],
    "stays silent at the port for probes": OCCUPATIONS["stay silent at the port for probes"],
}


@dataclass(frozen=True)
class Occupied:
    """A release to which neighbours keep connections, and how often its containers had been restarted before."""

    live: Live
    place: Namespace
    neighbours: tuple[str, ...]
    restarts: Mapping[str, int]


def occupy(
    live: Live,
    place: Namespace,
    deadlines: Deadlines,
    how: Occupation,
    *,
    run_id: str,
    neighbours: int = _NEIGHBOURS,
) -> Occupied:
    """Let neighbours in a throw-away place keep 450 connections to the release's pod, and wait until they do."""
    kube, where = place.kube, place.name
    occupied = Occupied(live, place, tuple(f"neighbour-{one}" for one in range(neighbours)), restarts(live))
    target = netloc(address_of(live), how.port)
    kube.apply(probe.namespace(where, run_id))
    for name in occupied.neighbours:
        words = [target, str(_NEIGHBOURS * _EACH // neighbours), how.first, how.then]
        probe.start(
            kube, probe.pod(name, where, run_id, place.inventory.vantage_image, ["hold", *words]), deadlines
        )
    for name in occupied.neighbours:
        _wait_until_settled(occupied, name, deadlines)
    return occupied


def keep(live: Live, vantage: Vantage, how: Occupation, patience: float) -> bool:
    """Connect to the release's pod as a neighbour, send what is sent first, and return whether the connection is ended.

    `patience` is in seconds, from the last word that was heard.
    """
    with vantage.connect(address_of(live), how.port) as connection:
        connection.settimeout(patience)
        connection.sendall(how.first.replace(LINE_END, "\r\n").encode())
        try:
            while connection.recv(65536):
                pass
        except TimeoutError:
            return False
    return True


def assert_unharmed(occupied: Occupied, vantage: Vantage) -> None:
    """Assert that the kubelet's questions are answered, the pod is ready, and nothing of it has been restarted."""
    way = via_vantage("pod", vantage, address_of(occupied.live), PROBES_PORT)
    for path in ("/healthz", BEAT.path):
        response = http.ask(way, "GET", path)
        assert response.status == 200, f"the kubelet is not answered: {response}"
    now = restarts(occupied.live)
    assert now == occupied.restarts, f"restarted: {now}, before: {occupied.restarts}"
    conditions = {one["type"]: one for one in pod_of(occupied.live)["status"]["conditions"]}
    assert conditions["Ready"]["status"] == "True", f"the pod is not ready: {conditions['Ready']}"


def assert_ended(ended: bool, deadlines: Deadlines) -> None:
    """Assert that the release has ended a connection of a pod without a token."""
    if not ended:
        raise PromiseBroken("the release waits for no caller", f"still connected after {deadlines.doubt:g} s")


def assert_shared(occupied: Occupied, port: Occupation) -> None:
    """Assert that each neighbour holds no more than its share of a port's connections."""
    most = _SHARES[port.port]
    for name in occupied.neighbours:
        # What is refused is open for an instant; what is held is open all the time.
        held = min(_held(occupied, name)[-_SETTLED:])
        if held > most:
            raise PromiseBroken(f"one neighbour holds {most} connections at most", held)


def _wait_until_settled(occupied: Occupied, neighbour: str, deadlines: Deadlines) -> None:
    wait_for(
        lambda: len(_held(occupied, neighbour)) >= _SETTLED,
        deadlines.live,
        lambda: f"{neighbour} keeps no connections: {_held(occupied, neighbour)}",
        (ApiError,),
    )


def restarts(live: Live) -> dict[str, int]:
    """Return how often each container of the release's pod has been restarted."""
    status = pod_of(live)["status"]
    containers = (*status.get("initContainerStatuses", ()), *status["containerStatuses"])
    return {one["name"]: one["restartCount"] for one in containers}


def _held(occupied: Occupied, neighbour: str) -> list[int]:
    log = occupied.place.kube.logs(occupied.place.name, neighbour, "probe")
    return [int(line) for line in log.split() if line.isdigit()]
