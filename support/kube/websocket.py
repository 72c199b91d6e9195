# mypy: untyped-calls-exclude=websocket
"""Speaks the protocol in which exec and port-forward divide a websocket of the Kubernetes API into channels."""

from __future__ import annotations

import os
import select
import ssl
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from websocket import WebSocketConnectionClosedException, WebSocketTimeoutException

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from websocket import WebSocket

# Bytes taken at once, and the backlog in either direction above which the other side is not read any further.
_CHUNK: Final = 256 * 1024
_BACKLOG: Final = 1024 * 1024

_DATA, _ERROR = 0, 1  # channels of the one port
_BINARY, _CLOSE, _PING, _PONG = 2, 8, 9, 10  # websocket opcodes (RFC 6455, 5.2)


def collect(websocket: WebSocket, timeout: float) -> Mapping[int, bytes]:
    """Read a websocket to its end and return what came on each channel; a TimeoutError when `timeout` seconds pass."""
    said: dict[int, bytes] = defaultdict(bytes)
    end = time.monotonic() + timeout
    try:
        while True:
            websocket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                opcode, message = websocket.recv_data()
            except WebSocketTimeoutException:
                raise TimeoutError from None
            except WebSocketConnectionClosedException:
                return said
            if opcode == _CLOSE:
                return said
            if message:
                said[message[0]] += message[1:]
    finally:
        # Its close() does nothing after the server's good-bye, and leaves the socket open.
        websocket.shutdown()


def pump(websocket: ssl.SSLSocket | socket.socket, near: socket.socket) -> None:
    """Carry bytes both ways until the far end closes, or the near one has closed for reading too.

    `websocket` is a connected websocket's transport that speaks v4.channel.k8s.io (as the API server's portforward
    does): each message is a channel byte and data; the first message of a channel names the port. It has no message for
    "I have finished sending", so the near end's half-close is kept here: answers go on being delivered.
    """
    with websocket, near:
        websocket.setblocking(False)
        near.setblocking(False)
        _Carrier(websocket, near).run()


class _Carrier:
    def __init__(self, websocket: ssl.SSLSocket | socket.socket, near: socket.socket) -> None:
        self._far = websocket
        self._near = near
        self._raw = bytearray()  # from the far end, not yet parsed
        self._inward = bytearray()  # for the near end
        self._outward = bytearray()  # framed, for the far end
        self._greeted: set[int] = set()
        self._far_open = self._near_reads = self._near_writes = True

    def run(self) -> None:
        while self._near_reads and (self._far_open or self._inward):
            self._wait()
            self._read_far()
            self._read_near()
            self._write_far()
            self._write_near()

    def _wait(self) -> None:
        pending = (
            isinstance(self._far, ssl.SSLSocket) and self._far.pending() and len(self._inward) < _BACKLOG
        )
        poll = select.poll()
        if self._far_open:
            wanted = select.POLLIN if len(self._inward) < _BACKLOG else 0
            poll.register(self._far, wanted | (select.POLLOUT if self._outward else 0))
        wanted = select.POLLIN if self._near_writes and len(self._outward) < _BACKLOG else 0
        poll.register(self._near, wanted | (select.POLLOUT if self._inward else 0))
        for fd, event in poll.poll(0 if pending else None):
            if (
                fd == self._near.fileno()
                and event & (select.POLLHUP | select.POLLERR)
                and not event & select.POLLIN
            ):
                self._near_reads = False

    def _read_far(self) -> None:
        while self._far_open and len(self._inward) < _BACKLOG:
            try:
                data = self._far.recv(_CHUNK)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
                return
            except OSError:
                data = b""
            self._far_open = bool(data)
            self._raw += data
            self._parse()

    def _read_near(self) -> None:
        if not self._near_writes or len(self._outward) >= _BACKLOG:
            return
        try:
            data = self._near.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self._near_reads = False
            return
        if data:
            self._outward += _frame(_BINARY, bytes([_DATA]) + data)
        else:
            self._near_writes = False

    def _write_far(self) -> None:
        while self._outward and self._far_open:
            try:
                del self._outward[: self._far.send(self._outward)]
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
                return
            except OSError:
                self._far_open = False

    def _write_near(self) -> None:
        while self._inward:
            try:
                del self._inward[: self._near.send(self._inward)]
            except BlockingIOError:
                return
            except OSError:
                self._near_reads = False
                return

    def _parse(self) -> None:
        while message := _message(self._raw):
            opcode, payload = message
            if opcode == _CLOSE:
                self._far_open = False
            elif opcode == _PING:
                self._outward += _frame(_PONG, payload)
            elif opcode == _BINARY and payload:
                self._take(payload[0], payload[1:])

    def _take(self, channel: int, data: bytes) -> None:
        if channel not in self._greeted:
            self._greeted.add(channel)
        elif channel == _DATA:
            self._inward += data
        elif channel == _ERROR:  # "connection refused" inside the pod, for one
            self._far_open = False


def _message(raw: bytearray) -> tuple[int, bytes] | None:
    """Take the first whole message (opcode, payload) off the buffer; servers neither mask nor fragment here."""
    if len(raw) < 2:
        return None
    size, start = raw[1] & 0x7F, 2
    if size >= 126:
        start = 4 if size == 126 else 10
        if len(raw) < start:
            return None
        size = int.from_bytes(raw[2:start], "big")
    if len(raw) < start + size:
        return None
    message = raw[0] & 0x0F, bytes(raw[start : start + size])
    del raw[: start + size]
    return message


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([0x80 | 127]) + size.to_bytes(8, "big")
    mask = os.urandom(4)
    stretched = (mask * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(stretched, "big")
    return bytes([0x80 | opcode]) + length + mask + masked.to_bytes(size, "big")
