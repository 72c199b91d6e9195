"""Asks raw HTTP questions: the path, the headers and the body go out exactly as given, and no redirect is followed."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from ssl import SSLError, SSLSocket, cert_time_to_seconds
from typing import TYPE_CHECKING, Any, Final

import h11

from support.core.errors import SuiteError
from support.core.restraint import restraint
from support.core.symptoms import Symptom
from support.core.wait import kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from support.network.way import Way

# The header of a line's last question: the answer ends the connection, and no tunnel has to guess whether more comes.
LAST: Final = ("Connection", "close")

# Bytes that an answer's headers may have, and bytes taken at once.
_HEAD_LIMIT: Final = 64 * 1024
_CHUNK: Final = 256 * 1024
_SWITCHED: Final = HTTPStatus.SWITCHING_PROTOCOLS


@dataclass(frozen=True)
class Body:
    """A body of `size` bytes that is sent piece by piece, once the other side has asked for it; it never lies in memory.

    With `chunked` it does not say how long it is; such a one is sent unasked, as others are with `unasked`.
    """

    size: int
    pieces: Iterable[bytes]
    chunked: bool = False
    unasked: bool = False

    @property
    def headers(self) -> Iterator[tuple[str, str]]:
        """Yield the headers that tell the other side of it."""
        if self.chunked:
            yield "Transfer-Encoding", "chunked"
            return
        yield "Content-Length", str(self.size)
        if not self.unasked:
            yield "Expect", "100-continue"


class NoResponse(SuiteError):  # noqa: N818 - a fact, not a mistake
    """A question got no HTTP answer: refused, cut off, not in time, or not to be believed."""


@dataclass(frozen=True)
class Response:
    """The answer to one question.

    `question` is for messages and never holds a header, so never a secret. `headers` are in their order, names in
    lower case; `body` is as it came.
    """

    question: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    way: str = ""

    @property
    def symptom(self) -> Symptom:
        """What it says to a diagnosis."""
        body = self.body.decode("utf-8", "replace")
        return Symptom.answered(str(self), self.way, self.status, body)

    @property
    def path(self) -> str:
        """The path that was asked for, without its query."""
        return self.question.split(" ")[1].partition("?")[0]

    def header(self, name: str) -> str | None:
        """Return a header's first value, None when it is absent."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    def json(self) -> Any:
        """Return the body as JSON; a ValueError that shows the answer when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise ValueError(f"no JSON came as an answer: {self}") from None

    def __str__(self) -> str:
        return f"{self.question}: {self.status} {self.body[:200].decode('utf-8', 'replace')}"


class Connection:
    """One connection, on which questions are asked in turn; opened anew where the other side has ended it."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._socket: socket.socket | None = None
        self._state = _fresh()

    def ask(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]] = (),
        body: Body | bytes | dict[str, Any] | None = None,
    ) -> Response:
        """Ask one question; the path is not normalised, headers may repeat, a dictionary is sent as JSON.

        An answer that comes before the body is sent is taken, and the rest of the body is not sent.

        Raises `NoResponse`.
        """
        question = f"{method} {path} through the {self._way.name}"
        payload, kind = _payload(body)
        records = len(body.get("ids") or ()) if isinstance(body, dict) else 0
        sent = [("Host", _authority(self._way)), *headers, *kind, *(payload.headers if payload else ())]
        encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in sent]
        with restraint().asking(method, path, payload.size if payload else 0, records):
            try:
                self._socket = self._socket or _connected(self._way)
                self._send(h11.Request(method=method, target=path, headers=encoded))
                response = self._reply(question, self._send_body(payload) or self._head())
            except (OSError, h11.ProtocolError) as error:
                self.close()
                seen = Symptom.failed(question, self._way.name, error)
                raise NoResponse(seen.words, symptom=seen) from error
        self._settle()
        return response

    def close(self) -> None:
        """End the connection."""
        if self._socket:
            self._socket.close()
        self._socket, self._state = None, _fresh()

    def _send_body(self, body: Body | None) -> h11.Response | None:
        """Send a body; where it may not be sent, return the beginning of the answer that says so.

        Leave to send a large one is asked for, as curl does: who sends it unasked may lose the refusal, since the other
        side closes with the rest of the body unread.
        """
        if body and not (body.chunked or body.unasked):
            answer = self._head(HTTPStatus.CONTINUE)
            if isinstance(answer, h11.Response):
                return answer
        with suppress(ConnectionError, SSLError):  # who refuses a body may stop reading it, and has answered
            for piece in body.pieces if body else ():
                self._send(h11.Data(data=piece))
            self._send(h11.EndOfMessage())
        return None

    def _head(self, *interim: int) -> h11.Response | h11.InformationalResponse:
        """Return the beginning of the answer, or what comes before it with one of the `interim` statuses."""
        while True:
            event = self._next()
            if isinstance(event, h11.Response):
                return event
            if isinstance(event, h11.InformationalResponse) and event.status_code in {*interim, _SWITCHED}:
                return event

    def _reply(self, question: str, head: h11.Response | h11.InformationalResponse) -> Response:
        body = bytearray()
        # What follows a switch to another protocol is no part of the answer: no event comes of it.
        while isinstance(event := self._next(), h11.Data):
            body += event.data
        headers = tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in head.headers)
        return Response(question, head.status_code, headers, bytes(body), self._way.name)

    def _next(self) -> object:
        """Return the next event of h11, once enough has come for one."""
        while (event := self._state.next_event()) is h11.NEED_DATA:
            data = self._open().recv(_CHUNK)
            if not data and self._state.their_state is h11.SEND_RESPONSE:
                raise h11.RemoteProtocolError("Server disconnected without sending a response.")
            self._state.receive_data(data)
        return event

    def _send(self, event: h11.Event) -> None:
        self._open().sendall(self._state.send(event) or b"")

    def _open(self) -> socket.socket:
        assert self._socket, "a question opens the connection"
        return self._socket

    def _settle(self) -> None:
        """Make ready for another question, on this connection if both sides are done with this one and keep it."""
        if self._state.our_state is self._state.their_state is h11.DONE:
            self._state.start_next_cycle()
        else:
            self.close()


@contextmanager
def connection(way: Way) -> Iterator[Connection]:
    """Open a connection on a way and close it at the end."""
    opened = Connection(way)
    try:
        yield opened
    finally:
        opened.close()


def ask(
    way: Way,
    method: str,
    path: str,
    headers: Iterable[tuple[str, str]] = (),
    body: Body | bytes | dict[str, Any] | None = None,
) -> Response:
    """Ask one question on a connection of its own, as `Connection.ask` does; raises `NoResponse`."""
    with connection(way) as opened:
        return opened.ask(method, path, [LAST, *headers], body)


def certificate_end(way: Way) -> str:
    """Return when the certificate ends that is shown on a way in TLS, in UTC as ISO 8601 writes it.

    Raises `NoResponse`, also where the certificate is not believed: the text says why.
    """
    asked = f"the certificate of {way.host} through the {way.name}"
    try:
        with _connected(way) as opened:
            shown = opened.getpeercert() if isinstance(opened, SSLSocket) else None
    except OSError as error:
        seen = Symptom.failed(asked, way.name, error)
        raise NoResponse(seen.words, symptom=seen) from error
    if not shown:
        raise NoResponse(f"{asked}: there is none")
    end = datetime.fromtimestamp(cert_time_to_seconds(str(shown["notAfter"])), UTC)
    return end.isoformat(timespec="seconds")


def _fresh() -> h11.Connection:
    return h11.Connection(h11.CLIENT, _HEAD_LIMIT)


def _connected(way: Way) -> socket.socket:
    plain = socket.create_connection((way.host, way.port), kept().question)
    # A short body goes out at once, though it follows the headers by itself.
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return way.verify.wrap_socket(plain, server_hostname=way.host) if way.tls else plain


def _authority(way: Way) -> str:
    """Return the host of a way, with its port unless that is the usual one, as callers name it."""
    host = f"[{way.host}]" if ":" in way.host else way.host
    return host if way.port == (443 if way.tls else 80) else f"{host}:{way.port}"


def _payload(body: Body | bytes | dict[str, Any] | None) -> tuple[Body | None, list[tuple[str, str]]]:
    """Return what is sent of a body, and the header that says what it is."""
    if body is None or isinstance(body, Body):
        return body, []
    whole = json.dumps(body).encode() if isinstance(body, dict) else body
    kind = [("Content-Type", "application/json")] if isinstance(body, dict) else []
    return Body(len(whole), [whole], unasked=True), kind
