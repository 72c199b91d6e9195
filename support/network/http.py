"""Asks raw HTTP questions: the path, the headers and the body go out exactly as given, and no redirect is followed."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ssl import SSLError
from typing import TYPE_CHECKING, Any, Final

from support.core.wait import kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from support.network.way import Way

# The header of a line's last question: the answer ends the connection, and no tunnel has to guess whether more comes.
LAST: Final = ("Connection", "close")


@dataclass(frozen=True)
class Body:
    """A body of `size` bytes that is sent piece by piece, once the other side has asked for it; it never lies in memory.

    With `chunked` it is sent unasked, and does not say how long it is.
    """

    size: int
    pieces: Iterable[bytes]
    chunked: bool = False


class Unanswered(Exception):  # noqa: N818 - a fact, not a mistake
    """A question got no HTTP answer: refused, cut off, not in time, or not to be believed."""


@dataclass(frozen=True)
class Reply:
    """The answer to one question.

    `question` is for messages and never holds a header, so never a secret. `headers` are in their order, names in
    lower case; `body` is as it came.
    """

    question: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        """The path that was asked for, without its query."""
        return self.question.split(" ")[1].partition("?")[0]

    def header(self, name: str) -> str | None:
        """Return a header's first value, None when it is absent."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    def json(self) -> Any:
        """Return the body as JSON; a ValueError when it is none."""
        return json.loads(self.body)

    def __str__(self) -> str:
        return f"{self.question}: {self.status} {self.body[:200].decode('utf-8', 'replace')}"


class Line:
    """One connection, on which questions are asked in turn; opened anew where the other side has ended it."""

    def __init__(self, way: Way) -> None:
        self._way = way
        patience = kept().question
        if way.tls:
            self._connection: HTTPConnection = HTTPSConnection(
                way.host, way.port, timeout=patience, context=way.verify
            )
        else:
            self._connection = HTTPConnection(way.host, way.port, timeout=patience)
        self._connection.auto_open = 0

    def ask(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]] = (),
        body: Body | bytes | dict[str, Any] | None = None,
    ) -> Reply:
        """Ask one question; the path is not normalised, headers may repeat, a dictionary is sent as JSON.

        An answer that comes before the body is sent is taken, and the rest of the body is not sent.

        Raises `Unanswered`.
        """
        question = f"{method} {path} through the {self._way.name}"
        try:
            if self._connection.sock is None:
                self._connection.connect()
            return _reply(question, self._exchange(method, path, headers, body))
        except (OSError, HTTPException) as error:
            raise Unanswered(f"{question}: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _exchange(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]],
        body: Body | bytes | dict[str, Any] | None,
    ) -> HTTPResponse:
        self._connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers:
            self._connection.putheader(name, value)
        if isinstance(body, dict):
            self._connection.putheader("Content-Type", "application/json")
        payload = _payload(body)
        if payload and payload.chunked:
            self._connection.putheader("Transfer-Encoding", "chunked")
        elif payload is not None:
            self._connection.putheader("Content-Length", str(payload.size))
        asks_first = isinstance(body, Body) and not body.chunked
        if asks_first:
            self._connection.putheader("Expect", "100-continue")
        self._connection.endheaders()
        if asks_first and (refusal := self._answer_ahead(method)):
            return refusal
        with suppress(ConnectionError, SSLError):  # who refuses a body may stop reading it, and has answered
            for piece in _framed(payload) if payload else ():
                self._connection.send(piece)
        return self._connection.getresponse()

    def _answer_ahead(self, method: str) -> HTTPResponse | None:
        """Return the answer that comes in place of the leave to send the body (100), None where that is given.

        Who sends a large body unasked may lose the refusal: the other side closes with the rest of the body unread.
        So curl asks, too; http.client knows no way to.
        """
        response = self._connection.response_class(self._connection.sock, method=method)
        status_line = response._read_status()  # type: ignore[attr-defined]  # noqa: SLF001 - see above
        if status_line[1] == HTTPStatus.CONTINUE:
            while response.fp.readline().strip():
                pass
            return None
        response._read_status = lambda: status_line  # type: ignore[attr-defined]  # noqa: SLF001 - see above
        response.begin()
        return response


@contextmanager
def line(way: Way) -> Iterator[Line]:
    """Open a line on a way in and close it at the end."""
    opened = Line(way)
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
) -> Reply:
    """Ask one question on a connection of its own, as `Line.ask` does; raises `Unanswered`."""
    with line(way) as opened:
        return opened.ask(method, path, [LAST, *headers], body)


def _framed(payload: Body) -> Iterator[bytes]:
    """Yield what is sent of a body: its pieces, or chunks of them and the chunk that ends it."""
    for piece in payload.pieces:
        yield b"%x\r\n%b\r\n" % (len(piece), piece) if payload.chunked else piece
    if payload.chunked:
        yield b"0\r\n\r\n"


def _payload(body: Body | bytes | dict[str, Any] | None) -> Body | None:
    if body is None or isinstance(body, Body):
        return body
    whole = json.dumps(body).encode() if isinstance(body, dict) else body
    return Body(len(whole), [whole])


def _reply(question: str, response: HTTPResponse) -> Reply:
    headers = tuple((name.lower(), value) for name, value in response.getheaders())
    return Reply(question, response.status, headers, response.read())
