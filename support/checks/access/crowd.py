"""Callers without a token from outside the cluster, who keep many connections to a release through its ingress."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle, islice
from threading import Event, Thread
from typing import TYPE_CHECKING, Final, Self

from support.checks.access.occupation import HOST, LINE_END, OCCUPATIONS, PROBES_PORT, Occupied, restarts
from support.core.wait import kept
from support.network.way import ingress

if TYPE_CHECKING:
    from types import TracebackType

    from support.checks.access.occupation import Occupation
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.network.way import Way

# Seconds between two pieces of what a caller sends.
_PACE: Final = 1.0


@dataclass
class _Connection:
    """One connection, which is opened again where the other side has ended it."""

    way: Way
    how: Occupation
    socket: socket.socket | None = field(default=None, init=False)

    def open(self) -> None:
        """Connect, and send what is sent first; raises `OSError`."""
        plain = socket.create_connection((self.way.host, self.way.port), kept().question)
        self.socket = self.way.verify.wrap_socket(plain, server_hostname=self.way.host)
        self._send(self.how.first)

    def go_on(self) -> None:
        """Send the next piece."""
        try:
            self._send(self.how.then)
        except OSError:
            self.close()
            with suppress(OSError):
                self.open()

    def close(self) -> None:
        """Close it; does nothing to one that is closed."""
        if self.socket:
            self.socket.close()

    def _send(self, words: str) -> None:
        if self.socket and words:
            self.socket.sendall(words.replace(LINE_END, "\r\n").replace(HOST, self.way.host).encode())


class Crowd:
    """Connections that a thread keeps until the block ends."""

    def __init__(self) -> None:
        self._over = Event()
        self._connections: list[_Connection] = []
        self._thread = Thread(target=self._keep, daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        for connection in self._connections:
            connection.close()

    def gather(self, live: Live, place: Namespace, count: int) -> Occupied:
        """Open `count` connections through the ingress, kept in all the ways in turn; raises `OSError`."""
        way = ingress(live.host, live.inventory)
        ways = [how for how in OCCUPATIONS.values() if how.port != PROBES_PORT]
        occupied = Occupied(live, place, (), restarts(live))
        for how in islice(cycle(ways), count):
            self._connections.append(_Connection(way, how))
            self._connections[-1].open()
        self._thread.start()
        return occupied

    def _keep(self) -> None:
        while not self._over.wait(_PACE):
            for connection in self._connections:
                connection.go_on()
