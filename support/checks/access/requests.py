"""What callers may show and ask, in the words of the features, and how they ask it on each way in."""

from __future__ import annotations

import hashlib
import re
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from support.chroma.reachable import BEARER_HEADER
from support.chroma.samples import DIMENSION, records
from support.core.component import COLLECTIONS, HEARTBEAT, TOKEN_HEADER
from support.network import http
from support.network.way import netloc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.chroma.reachable import Credential, Headers, Reachable
    from support.core.wait import Deadlines
    from support.network.http import Response
    from support.network.way import Routes, Way, WayName

Responses = dict["WayName", list["Response"]]

# Stands for every tenant, database and collection: where an operation turns out to be open, nothing is lost by it.
_NOBODYS: Final = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Request:
    """What is asked, without what the caller shows; of the documented database, unless that of a caller is another."""

    method: str
    path: str
    body: http.Body | bytes | dict[str, Any] | None = None
    headers: tuple[tuple[str, str], ...] = ()


def _shown(make: Callable[[str], str]) -> Callable[[Credential], Headers]:
    return lambda it: it.showing(make(it.token.get_secret_value()))


def _shown_in(header: str, make: Callable[[str], str]) -> Callable[[Credential], Headers]:
    return lambda it: [(header, make(it.token.get_secret_value()))]


def _in_wrong_headers(credential: Credential) -> Headers:
    token = credential.token.get_secret_value()
    others = [(TOKEN_HEADER, token), (BEARER_HEADER, f"Bearer {token}"), ("X-Token", token)]
    return [(name, value) for name, value in others if name.lower() != credential.header.lower()]


def _other_case(token: str) -> str:
    assert token != token.swapcase(), "the token has no other case: choose one with a letter in it"
    return token.swapcase()


def wrong_token(token: str) -> str:
    """Return a token that looks like one and is not the right one."""
    return next(wrong for wrong in ("open-sesame-open-sesame", "close-sesame-close-sesame") if wrong != token)


# The first alone is let in, unless a release takes bearers as well.
CREDENTIALS: Final[Mapping[str, Callable[[Credential], Headers]]] = {
    "with the right token": _shown(lambda token: token),
    "without a token": lambda _: [],
    "with an empty token": _shown(lambda _: ""),
    "with a wrong token": _shown(wrong_token),
    "with the right token in swapped upper and lower case": _shown(_other_case),
    "with the right token in the wrong header": _in_wrong_headers,
    "with the beginning of the right token": _shown(lambda token: token[:-1]),
    "with the end of the right token": _shown(lambda token: token[1:]),
    "with the right token and one more letter": _shown(lambda token: token + "x"),
    "with the right token as a bearer token": _shown_in(BEARER_HEADER, lambda token: f"Bearer {token}"),
    "with a wrong token as a bearer token": _shown_in(
        BEARER_HEADER, lambda token: f"Bearer {wrong_token(token)}"
    ),
    "with the right token as an API key": _shown_in("X-Api-Key", lambda token: token),
    "with a wrong token and the right one as a bearer token": lambda it: [
        *it.showing(wrong_token(it.token.get_secret_value())),
        (BEARER_HEADER, f"Bearer {it.token.get_secret_value()}"),
    ],
    # The gateway compares hashes; who sees its list of them is not let in by it.
    "with the hash of the right token": _shown(lambda token: hashlib.sha256(token.encode()).hexdigest()),
    "with the right token and a wrong one": lambda it: [
        *it.showing(wrong_token(it.token.get_secret_value())),
        *it.headers,
    ],
}

LIST: Final = Request("GET", COLLECTIONS)
BEAT: Final = Request("GET", HEARTBEAT)
# Chroma's own, live list of its operations.
_DOCUMENT: Final = Request("GET", "/openapi.json")

# What merely resembles the question for the heartbeat.
LOOKALIKES: Final[Mapping[str, Request]] = {
    "a longer path": Request("GET", HEARTBEAT + "x"),
    "a trailing slash": Request("GET", HEARTBEAT + "/"),
    "a double slash": Request("GET", "/" + HEARTBEAT),
    "a percent-encoded letter": Request("GET", "/api/v2/%68eartbeat"),
    "a query string": Request("GET", HEARTBEAT + "?limit=1"),
    "a path traversal": Request("GET", HEARTBEAT + "/../../.." + COLLECTIONS),
    "another method": Request("POST", HEARTBEAT),
    "a body": Request("GET", HEARTBEAT, b"{}"),
}

_UPGRADE: Final = ("Connection", "Upgrade")
# What asks for another protocol than HTTP.
SWITCHES: Final[Mapping[str, Request]] = {
    "an unknown protocol": Request("GET", COLLECTIONS, headers=(_UPGRADE, ("Upgrade", "foo"))),
    "a websocket": Request(
        "GET",
        COLLECTIONS,
        headers=(
            _UPGRADE,
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ),
    ),
    "an unknown protocol with a body": Request(
        "POST", COLLECTIONS, b"{}", headers=(_UPGRADE, ("Upgrade", "foo"))
    ),
    "HTTP/2": Request(
        "GET",
        COLLECTIONS,
        headers=(
            ("Connection", "Upgrade, HTTP2-Settings"),
            ("Upgrade", "h2c"),
            ("HTTP2-Settings", "AAMAAABk"),
        ),
    ),
}

_MIB: Final = 1 << 20
_PIECE: Final = b" " * 65536
ORIGIN: Final = "https://app.example.com"
ORIGINS: Final[Mapping[str, str]] = {
    "an allowed origin": ORIGIN,
    "another origin": "https://evil.example.com",
}


def large(mebibytes: int) -> Request:
    """Return a question whose body is so large, comes in chunks, and is never held back."""
    pieces = [_PIECE] * (mebibytes * _MIB // len(_PIECE))  # the same piece each time: it takes no memory
    return Request("POST", COLLECTIONS, http.Body(mebibytes * _MIB, pieces, chunked=True))


def with_long_header(kibibytes: int) -> Request:
    """Return a question with a header of so many KiB."""
    return Request("GET", COLLECTIONS, headers=(("X-Long", "x" * (kibibytes << 10)),))


def preflight(origin: str) -> Request:
    """Return what a browser asks for a page before it adds records there."""
    asked = (
        ("Origin", origin),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type,x-chroma-token"),
    )
    return Request("OPTIONS", COLLECTIONS, headers=asked)


def from_page(origin: str) -> Request:
    """Return what a browser asks for a page."""
    return Request("GET", COLLECTIONS, headers=(("Origin", origin),))


# What tempts a release to repeat what it was sent.
_TEMPTING: Final = (
    LIST,
    Request("GET", COLLECTIONS + "/no-such-collection"),
    Request("GET", "/no/such/path"),
    Request("TRACE", COLLECTIONS),
    Request("OPTIONS", COLLECTIONS),
    Request("POST", COLLECTIONS, b"no JSON"),
    Request("POST", COLLECTIONS, {"name": "?"}),
)


def _of(collection: Collection, tail: str = "") -> str:
    return f"/api/v2/tenants/{collection.tenant}/databases/{collection.database}/collections{tail}"


# What an intruder may try to change; each would succeed with the token.
WRITES: Final[Mapping[str, Callable[[Collection], Request]]] = {
    "create a collection": lambda it: Request("POST", _of(it), {"name": "intruder"}),
    "delete a collection": lambda it: Request("DELETE", _of(it, f"/{it.name}")),
    "add a record": lambda it: Request(
        "POST", _of(it, f"/{it.id}/add"), {"ids": ["intruder"], "embeddings": [[0.0] * DIMENSION]}
    ),
    "delete a record": lambda it: Request("POST", _of(it, f"/{it.id}/delete"), {"ids": [records(1)[0].id]}),
}


class Caller:
    """Somebody at the ways in to a Chroma, with this or that to show; raises `NoResponse` where no answer comes."""

    def __init__(self, chroma: Reachable, routes: Routes, deadlines: Deadlines) -> None:
        self._chroma = chroma
        self._routes = routes
        self._deadlines = deadlines

    def ask(self, ways: Sequence[WayName], credentials: str, *questions: Request) -> Responses:
        """Ask on each of the ways, in this order and on one connection; return the answers in the same order."""
        shown = CREDENTIALS[credentials](self._chroma.credential)
        asked = [self._at_home(question) for question in questions]
        return {name: _ask(self._routes.way(name), shown, asked) for name in self._routes.of(ways)}

    def ask_again_and_again(self, ways: Sequence[WayName], credentials: str, question: Request) -> Responses:
        """Ask on each of the ways in turn for as long as a doubtful sign is doubted, each time on a connection of its own."""
        responses: Responses = {name: [] for name in self._routes.of(ways)}
        end = time.monotonic() + self._deadlines.doubt
        while time.monotonic() < end:
            for name in responses:
                responses[name] += self.ask([name], credentials, question)[name]
        return responses

    def ask_at_every_port(self, credentials: str, question: Request) -> Responses:
        """Ask at each port of the pod; return the answers of those that speak HTTP, each with its port."""
        shown, asked = CREDENTIALS[credentials](self._chroma.credential), self._at_home(question)
        found = []
        for port, way in self._routes.ports().items():
            with suppress(http.NoResponse):  # it is closed, or another protocol's
                (answer,) = _ask(way, shown, [asked])
                found.append(replace(answer, question=f"{answer.question} (port {port})"))
        assert found, f"no port of the pod answers: {sorted(self._routes.ports())}"
        return {"pod": found}

    def ask_for_everything(self, ways: Sequence[WayName], credentials: str) -> Responses:
        """Ask for every operation that Chroma's own document names, and for the document itself."""
        return self.ask(ways, credentials, *self._operations(), _DOCUMENT)

    def ask_for_tunnel(self, ways: Sequence[WayName], credentials: str) -> Responses:
        """Ask for a tunnel to where the caller is connected already."""
        targets = {name: self._routes.way(name) for name in self._routes.of(ways)}
        return {
            name: self.ask([name], credentials, Request("CONNECT", netloc(way.host, way.port)))[name]
            for name, way in targets.items()
        }

    def tempt(self, ways: Sequence[WayName]) -> Responses:
        """Ask what tempts the release to repeat the token, showing it rightly and wrongly."""
        credential = self._chroma.credential
        token = credential.token.get_secret_value()
        holding = [
            name for name, make in CREDENTIALS.items() if any(token in value for _, value in make(credential))
        ]
        rightly = self.ask(ways, "with the right token", *_TEMPTING)
        wrongly = [self.ask(ways, name, LIST) for name in holding]
        return {
            name: [response for responses in (rightly, *wrongly) for response in responses[name]]
            for name in rightly
        }

    def ask_again_without_token(self, ways: Sequence[WayName]) -> Responses:
        """Ask with the token, and then without it on the same connection; return the second answers."""
        return {name: [self._ask_twice(self._routes.way(name))] for name in self._routes.of(ways)}

    def ask_in_clear(self, question: Request) -> Response:
        """Ask without a token over plain http through the ingress."""
        return http.ask(self._chroma.way.in_clear(), question.method, question.path)

    def _ask_twice(self, way: Way) -> Response:
        asked = self._at_home(LIST)
        with http.connection(way) as connection:
            first = connection.ask(asked.method, asked.path, self._chroma.credential.headers)
            assert first.status == HTTPStatus.OK, f"the token does not open the connection: {first}"
            return connection.ask(asked.method, asked.path)

    def _operations(self) -> list[Request]:
        (response,) = _ask(self._chroma.way, self._chroma.credential.headers, [_DOCUMENT])
        document = response.json()
        return [
            Request(method.upper(), re.sub(r"{\w+}", _NOBODYS, path))
            for path, operations in document["paths"].items()
            for method in operations
        ]

    def _at_home(self, question: Request) -> Request:
        """Return a question as it is put to the database that is meant here where none is named."""
        return replace(question, path=question.path.replace(COLLECTIONS, self._chroma.tenancy.collections))


def _ask(way: Way, shown: Headers, questions: Sequence[Request]) -> list[Response]:
    *first, last = questions
    with http.connection(way) as connection:
        responses = [connection.ask(it.method, it.path, [*shown, *it.headers], it.body) for it in first]
        ends = () if _UPGRADE[0] in dict(last.headers) else (http.LAST,)
        return [*responses, connection.ask(last.method, last.path, [*ends, *shown, *last.headers], last.body)]


def assert_alone(database: Database, collection: Collection) -> None:
    """Assert that a database holds one collection and no other."""
    assert database.names() == [collection.name], f"the database holds the collections {database.names()}"
