"""A local listener whose connections lead to a target inside the cluster."""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from support.core.errors import SuiteError
from support.core.wait import kept
from support.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK: Final = 256 * 1024


_log = logging.getLogger(__name__)


class Unreachable(SuiteError):  # noqa: N818 - a fact, not a mistake
    """The vantage could not connect to a target; the text says why, as its network put it."""


class NoWay(SuiteError, AssertionError):  # noqa: N818 - a fact, not a mistake
    """The vantage itself cannot be reached from here, which says nothing of any release; the text says why."""


class Tunnel:
    """A listener on 127.0.0.1 whose every connection becomes one to the target; bytes pass as they are.

    `address` is (host, port), where clients connect. `connect` opens the way to the target.
    """

    def __init__(self, host: str, port: int, connect: Callable[[str, int], socket.socket]) -> None:
        self._target = (host, port)
        self._connect = connect
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._open: set[socket.socket] = {self._listener}
        self._closed = False
        self._lock = threading.Lock()
        self._spawn(self._accept)

    def close(self) -> None:
        """Stop listening and end every connection."""
        with self._lock:
            self._closed = True
            for each in self._open:
                _end(each)

    def _accept(self) -> None:
        with self._listener, suppress(OSError):  # accept fails once the listener has ended
            while True:
                near, _ = self._listener.accept()
                self._spawn(self._serve, near)

    def _serve(self, near: socket.socket) -> None:
        with near:
            try:
                far = self._connect(*self._target)
            except (Unreachable, ApiError, NoWay) as error:
                _log.warning("closed a connection: %s", error)
                return
            with far:
                self._relay(near, far)

    def _relay(self, near: socket.socket, far: socket.socket) -> None:
        with self._lock:
            if self._closed:
                return
            self._open |= {near, far}
        inward, outward = _Flow(far, near), _Flow(near, far)
        answering = self._spawn(inward.run)
        outward.run()
        inward.await_silence(answering)
        with self._lock:
            self._open -= {near, far}
        for each in (near, far):
            _end(each)
        answering.join()

    def _spawn(self, work: Callable[..., None], *arguments: Any) -> threading.Thread:
        name = f"tunnel to {self._target[0]}:{self._target[1]}"
        thread = threading.Thread(target=work, args=arguments, name=name, daemon=True)
        thread.start()
        return thread


class _Flow:
    """One direction of a connection."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self._source = source
        self._sink = sink
        self._moved = 0.0

    def run(self) -> None:
        """Carry bytes until the source has no more, and tell the sink so."""
        with suppress(OSError):  # the other direction, or the tunnel, has ended the connection
            while data := self._source.recv(CHUNK):
                self._sink.sendall(data)
                self._moved = time.monotonic()
            self._sink.shutdown(socket.SHUT_WR)

    def await_silence(self, thread: threading.Thread) -> None:
        """Wait until the thread that runs this flow has ended, or nothing has moved for a while."""
        self._moved = time.monotonic()
        while thread.is_alive() and (left := self._moved + kept().linger - time.monotonic()) > 0:
            thread.join(left)


def _end(connection: socket.socket) -> None:
    # Wakes what waits on it, which closing it would not.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
