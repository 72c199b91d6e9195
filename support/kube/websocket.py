"""Speaks the protocol in which exec and port-forward divide a websocket of the Kubernetes API into channels."""

from __future__ import annotations

import select
import ssl
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    RejectConnection,
    RejectData,
    Request,
)
from wsproto.utilities import ProtocolError

from support.core.errors import SuiteError

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping, Sequence

    from apiserver.connection import Connection

# In v4 nothing says that a channel ends. v5 (Kubernetes 1.30) has a word for it, for the standard input of exec alone: a
# message on a channel of its own that names the channel which ends.
V4: Final = "v4.channel.k8s.io"
V5: Final = "v5.channel.k8s.io"
_END: Final = 255

# Bytes taken at once, and the backlog in either direction above which the other side is not read any further.
_CHUNK: Final = 256 * 1024
_BACKLOG: Final = 1024 * 1024
# Bytes of what is said instead of opening a websocket: an API server's sentence takes some hundred.
_WORDS: Final = 64 * 1024

_DATA, _ERROR = 0, 1  # channels of the one port


class RejectedError(SuiteError):
    """Something answered with HTTP instead of opening a websocket: with this status and body."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status} {body[:200].decode('utf-8', 'replace')}")
        self.status = status
        self.body = body


class Websocket:
    """An open websocket; each of its messages is a channel byte and data."""

    def __init__(self, transport: socket.socket, frames: WSConnection, protocol: str) -> None:
        self._transport = transport
        self._frames = frames
        self._protocol = protocol

    @classmethod
    def open(cls, way: Connection, path: str, protocols: Sequence[str], timeout: float) -> Websocket:
        """Open one at a path (with its query), in one of the protocols; each step may take `timeout` seconds.

        Raises `RejectedError`, and what `explained` explains.
        """
        host, target, headers = way.request(path)
        extra = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
        transport = way.connect(timeout)
        try:
            frames = WSConnection(ConnectionType.CLIENT)
            transport.sendall(
                frames.send(Request(host, target, subprotocols=list(protocols), extra_headers=extra))
            )
            return cls(transport, frames, _agreed(transport, frames))
        except ProtocolError as error:
            transport.close()
            raise ConnectionError(f"it does not speak websocket: {error}") from error
        except BaseException:
            transport.close()
            raise

    def send(self, channel: int, data: bytes) -> None:
        """Send data on a channel."""
        self._transport.sendall(_framed(self._frames, channel, data))

    def end(self, channel: int) -> None:
        """Say that nothing more comes on a channel, where the protocol has a word for that."""
        if self._protocol == V5:
            self.send(_END, bytes([channel]))

    def collect(self, timeout: float) -> Mapping[int, bytes]:
        """Read to the end and return what came on each channel; a TimeoutError when `timeout` seconds pass."""
        said: dict[int, bytearray] = defaultdict(bytearray)
        end = time.monotonic() + timeout
        incoming = _Incoming(self._frames)
        with self._transport:
            while True:
                for channel, data, _ in incoming.parts():
                    said[channel] += data
                if incoming.ended:
                    return defaultdict(bytes, {channel: bytes(data) for channel, data in said.items()})
                self._transport.settimeout(max(end - time.monotonic(), 0.001))
                if incoming.responses:
                    self._transport.sendall(incoming.taken_replies())
                incoming.feed(_received(self._transport))

    def pump(self, near: socket.socket) -> None:
        """Carry a port-forward's bytes both ways until the far end closes, or the near one has closed for reading too.

        The first message of a channel names the port. The near end's half-close is kept here, for want of a word for it:
        answers go on being delivered.
        """
        with self._transport, near:
            self._transport.setblocking(False)
            near.setblocking(False)
            _Carrier(self._transport, self._frames, near).run()


class _Incoming:
    """What comes on a websocket, as it comes: `ended` once nothing more will, `responses` is to be sent for it."""

    def __init__(self, frames: WSConnection) -> None:
        self._frames = frames
        self._channel: int | None = None  # that of a message which is not whole yet
        self.responses = bytearray()
        self.ended = False

    def feed(self, data: bytes) -> None:
        """Take bytes of the transport; none at its end."""
        if data:
            self._frames.receive_data(data)
        else:
            self.ended = True

    def parts(self) -> Iterator[tuple[int, bytes, bool]]:
        """Yield the parts of messages that have come: channel, data, and whether the message is whole with it."""
        for event in self._frames.events():
            if isinstance(event, BytesMessage):
                data = bytes(event.data)
                if self._channel is None and data:
                    self._channel, data = data[0], data[1:]
                if self._channel is not None:
                    yield self._channel, data, event.message_finished
                if event.message_finished:
                    self._channel = None
            elif isinstance(event, Ping):
                self.responses += self._frames.send(event.response())
            elif isinstance(event, CloseConnection):  # the other side's, or a frame that breaks the rules
                self.ended = True
                return

    def taken_replies(self) -> bytes:
        """Return what is to be sent, once."""
        responses, self.responses = bytes(self.responses), bytearray()
        return responses


class _Carrier:
    def __init__(self, far: socket.socket, frames: WSConnection, near: socket.socket) -> None:
        self._far = far
        self._frames = frames
        self._near = near
        self._incoming = _Incoming(frames)
        self._inward = bytearray()  # for the near end
        self._outward = bytearray()  # framed, for the far end
        self._greeted: set[int] = set()
        self._far_open = self._far_takes = self._near_reads = self._near_writes = True

    def run(self) -> None:
        self._parse()  # what came with the agreement
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
                self._incoming.feed(_received(self._far))
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
                return
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
        if data and self._far_open and self._far_takes:
            self._outward += _framed(self._frames, _DATA, data)
        self._near_writes = bool(data)

    def _write_far(self) -> None:
        while self._outward and self._far_open:
            try:
                del self._outward[: self._far.send(self._outward)]
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
                return
            except OSError:  # it has closed; what it said before may still lie here
                self._far_takes = False
                self._outward.clear()

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
        for channel, data, whole in self._incoming.parts():
            if channel not in self._greeted:
                self._greeted |= {channel} if whole else set()
            elif channel == _DATA:
                self._inward += data
            elif channel == _ERROR:  # "connection refused" inside the pod, for one
                self._far_open = False
        self._outward += self._incoming.taken_replies()
        self._far_open = self._far_open and not self._incoming.ended


def _agreed(transport: socket.socket, frames: WSConnection) -> str:
    """Read the answer to the wish for a websocket, and not what follows it; return the protocol that was chosen."""
    status, body = 0, bytearray()
    while data := transport.recv(_CHUNK):
        frames.receive_data(data)
        whole = False
        for event in frames.events():
            if isinstance(event, AcceptConnection):
                if event.subprotocol is None:
                    raise ConnectionError("it does not say which protocol is spoken")
                return event.subprotocol
            if isinstance(event, RejectConnection):
                status, whole = event.status_code, not event.has_body
            elif isinstance(event, RejectData):
                body += event.data
                whole = event.body_finished
        if whole or len(body) > _WORDS:
            break
    if not status:
        raise ConnectionError("it ended the connection without an answer")
    raise RejectedError(status, bytes(body))


def _framed(frames: WSConnection, channel: int, data: bytes) -> bytes:
    return frames.send(BytesMessage(data=bytes([channel]) + data))


def _received(transport: socket.socket) -> bytes:
    """Return what has come, nothing once the connection has ended or is broken; raises what says to come again later."""
    try:
        return transport.recv(_CHUNK)
    except (TimeoutError, BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        raise
    except OSError:
        return b""
