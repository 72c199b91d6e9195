"""What callers may show and ask, in the words of the features, and how they ask it on each way in."""

from __future__ import annotations

import hashlib
import re
import socket
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from support.chroma.samples import DIMENSION, records
from support.core.component import DEFAULT_DATABASE, HEARTBEAT, TENANT, TOKEN_HEADER
from support.core.wait import kept
from support.deploy.ways_in import address_of, environment_of, way_in
from support.network import http
from support.network.tunnel import Unreachable
from support.network.way import POD_PORT, ingress, netloc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.network.http import Response
    from support.network.vantage import Vantage
    from support.network.way import Way, WayName

Headers = list[tuple[str, str]]
Responses = dict["WayName", list["Response"]]

_COLLECTIONS: Final = f"/api/v2/tenants/{TENANT}/databases/{DEFAULT_DATABASE}/collections"
# Stands for every tenant, database and collection: where an operation turns out to be open, nothing is lost by it.
_NOBODYS: Final = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Request:
    """What is asked, without what the caller shows."""

    method: str
    path: str
    body: http.Body | bytes | dict[str, Any] | None = None
    headers: tuple[tuple[str, str], ...] = ()


def _shown(make: Callable[[str], str], header: str = TOKEN_HEADER) -> Callable[[str], Headers]:
    return lambda token: [(header, make(token))]


def _other_case(token: str) -> str:
    assert token != token.swapcase(), "the token has no other case: choose one with a letter in it"
    return token.swapcase()


def wrong_token(token: str) -> str:
    """Return a token that looks like one and is not the right one."""
    return next(wrong for wrong in ("open-sesame-open-sesame", "close-sesame-close-sesame") if wrong != token)


# The first alone is let in, unless a release takes bearers as well.
CREDENTIALS: Final[Mapping[str, Callable[[str], Headers]]] = {
    "with the right token": _shown(lambda token: token),
    "without a token": lambda _: [],
    "with an empty token": _shown(lambda _: ""),
    "with a wrong token": _shown(wrong_token),
    "with the right token in swapped upper and lower case": _shown(_other_case),
    "with the right token in the wrong header": lambda token: [
        ("Authorization", f"Bearer {token}"),
        ("X-Token", token),
    ],
    "with the beginning of the right token": _shown(lambda token: token[:-1]),
    "with the end of the right token": _shown(lambda token: token[1:]),
    "with the right token and one more letter": _shown(lambda token: token + "x"),
    "with the right token as a bearer token": _shown(lambda token: f"Bearer {token}", "Authorization"),
    "with a wrong token as a bearer token": _shown(
        lambda token: f"Bearer {wrong_token(token)}", "Authorization"
    ),
    "with the right token as an API key": _shown(lambda token: token, "X-Api-Key"),
    "with a wrong token and the right one as a bearer token": lambda token: [
        (TOKEN_HEADER, wrong_token(token)),
        ("Authorization", f"Bearer {token}"),
    ],
    # The gateway compares hashes; who sees its list of them is not let in by it.
    "with the hash of the right token": _shown(lambda token: hashlib.sha256(token.encode()).hexdigest()),
    "with the right token and a wrong one": lambda token: [
        (TOKEN_HEADER, wrong_token(token)),
        (TOKEN_HEADER, token),
    ],
}

LIST: Final = Request("GET", _COLLECTIONS)
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
    "a path traversal": Request("GET", HEARTBEAT + "/../../.." + _COLLECTIONS),
    "another method": Request("POST", HEARTBEAT),
    "a body": Request("GET", HEARTBEAT, b"{}"),
}

_UPGRADE: Final = ("Connection", "Upgrade")
# What asks for another protocol than HTTP.
SWITCHES: Final[Mapping[str, Request]] = {
    "an unknown protocol": Request("GET", _COLLECTIONS, headers=(_UPGRADE, ("Upgrade", "foo"))),
    "a websocket": Request(
        "GET",
        _COLLECTIONS,
        headers=(
            _UPGRADE,
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ),
    ),
    "an unknown protocol with a body": Request(
        "POST", _COLLECTIONS, b"{}", headers=(_UPGRADE, ("Upgrade", "foo"))
    ),
    "HTTP/2": Request(
        "GET",
        _COLLECTIONS,
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
    return Request("POST", _COLLECTIONS, http.Body(mebibytes * _MIB, pieces, chunked=True))


def with_long_header(kibibytes: int) -> Request:
    """Return a question with a header of so many KiB."""
    return Request("GET", _COLLECTIONS, headers=(("X-Long", "x" * (kibibytes << 10)),))


def preflight(origin: str) -> Request:
    """Return what a browser asks for a page before it adds records there."""
    asked = (
        ("Origin", origin),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type,x-chroma-token"),
    )
    return Request("OPTIONS", _COLLECTIONS, headers=asked)


def from_page(origin: str) -> Request:
    """Return what a browser asks for a page."""
    return Request("GET", _COLLECTIONS, headers=(("Origin", origin),))


# What tempts a release to repeat what it was sent.
_TEMPTING: Final = (
    LIST,
    Request("GET", _COLLECTIONS + "/no-such-collection"),
    Request("GET", "/no/such/path"),
    Request("TRACE", _COLLECTIONS),
    Request("OPTIONS", _COLLECTIONS),
    Request("POST", _COLLECTIONS, b"no JSON"),
    Request("POST", _COLLECTIONS, {"name": "?"}),
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
    """Somebody at the ways in to a live release, with this or that to show; raises `NoResponse` where no answer comes."""

    def __init__(self, live: Live, vantage: Vantage, deadlines: Deadlines) -> None:
        self._live = live
        self._vantage = vantage
        self._deadlines = deadlines

    def ask(self, ways: Iterable[WayName], credentials: str, *questions: Request) -> Responses:
        """Ask on each of the ways, in this order and on one connection; return the answers in the same order."""
        shown = CREDENTIALS[credentials](self._live.token.get_secret_value())
        return {name: _ask(self._way(name), shown, questions) for name in ways}

    def ask_again_and_again(self, ways: Iterable[WayName], credentials: str, question: Request) -> Responses:
        """Ask on each of the ways in turn for as long as a doubtful sign is doubted, each time on a connection of its own."""
        responses: Responses = {name: [] for name in ways}
        end = time.monotonic() + self._deadlines.doubt
        while time.monotonic() < end:
            for name in responses:
                responses[name] += self.ask([name], credentials, question)[name]
        return responses

    def ask_for_everything(self, ways: Iterable[WayName], credentials: str) -> Responses:
        """Ask for every operation that the live release's own document names, and for the document itself."""
        return self.ask(ways, credentials, *self._operations(), _DOCUMENT)

    def ask_for_tunnel(self, ways: Iterable[WayName], credentials: str) -> Responses:
        """Ask for a tunnel to where the caller is connected already."""
        targets = {name: self._way(name) for name in ways}
        return {
            name: self.ask([name], credentials, Request("CONNECT", netloc(way.host, way.port)))[name]
            for name, way in targets.items()
        }

    def tempt(self, ways: Sequence[WayName]) -> Responses:
        """Ask what tempts the release to repeat the token, showing it rightly and wrongly."""
        token = self._live.token.get_secret_value()
        holding = [
            name for name, make in CREDENTIALS.items() if any(token in value for _, value in make(token))
        ]
        rightly = self.ask(ways, "with the right token", *_TEMPTING)
        wrongly = [self.ask(ways, name, LIST) for name in holding]
        return {
            name: [response for responses in (rightly, *wrongly) for response in responses[name]]
            for name in ways
        }

    def ask_again_without_token(self, ways: Iterable[WayName]) -> Responses:
        """Ask with the token, and then without it on the same connection; return the second answers."""
        return {name: [self._ask_twice(self._way(name))] for name in ways}

    def ask_in_clear(self, question: Request) -> Response:
        """Ask without a token over plain http through the ingress."""
        return http.ask(self._way("ingress").in_clear(), question.method, question.path)

    def _ask_twice(self, way: Way) -> Response:
        shown = CREDENTIALS["with the right token"](self._live.token.get_secret_value())
        with http.connection(way) as connection:
            first = connection.ask(LIST.method, LIST.path, shown)
            assert first.status == HTTPStatus.OK, f"the token does not open the connection: {first}"
            return connection.ask(LIST.method, LIST.path)

    def _operations(self) -> list[Request]:
        document = self.ask(["ingress"], "with the right token", _DOCUMENT)["ingress"][0].json()
        return [
            Request(method.upper(), re.sub(r"{\w+}", _NOBODYS, path))
            for path, operations in document["paths"].items()
            for method in operations
        ]

    def _way(self, name: WayName) -> Way:
        return way_in(self._live, name, self._vantage)


def _ask(way: Way, shown: Headers, questions: Sequence[Request]) -> list[Response]:
    *first, last = questions
    with http.connection(way) as connection:
        responses = [connection.ask(it.method, it.path, [*shown, *it.headers], it.body) for it in first]
        ends = () if _UPGRADE[0] in dict(last.headers) else (http.LAST,)
        return [*responses, connection.ask(last.method, last.path, [*ends, *shown, *last.headers], last.body)]


def assert_alone(database: Database, collection: Collection) -> None:
    """Assert that a database holds one collection and no other."""
    assert database.names() == [collection.name], f"the database holds the collections {database.names()}"


# What tells Chroma its port.
_PORT_VARIABLE: Final = "CHROMA_PORT"


@dataclass(frozen=True)
class OpenPorts:
    """Why a neighbour cannot connect to the pod's ports; None where it can."""

    gateway: str | None
    chroma: str | None


def probe_ports(live: Live, vantage: Vantage) -> OpenPorts:
    """Try to connect, as a neighbour would, to the gateway's port and to Chroma's own at the pod's address."""
    address, port = address_of(live), int(environment_of(live)[_PORT_VARIABLE])
    return OpenPorts(_probe_port(vantage, address, POD_PORT), _probe_port(vantage, address, port))


def assert_gateway_alone_is_open(open_ports: OpenPorts) -> None:
    """Assert that a neighbour can connect to the gateway, and not to Chroma."""
    assert open_ports.gateway is None, f"the gateway cannot be reached: {open_ports.gateway}"
    assert open_ports.chroma is not None, "Chroma itself answered a neighbour, past the gateway"


@dataclass(frozen=True)
class ServerCertificate:
    """What a verified handshake found out: the names in the certificate, or why it is not to be believed."""

    names: tuple[str, ...]
    doubt: str | None


def server_certificate(live: Live) -> ServerCertificate:
    """Shake hands with the ingress as a careful client does: by name, and trusting the platform's authority alone."""
    way = ingress(live.host, live.inventory)
    try:
        with (
            socket.create_connection((way.host, way.port), kept().question) as plain,
            way.verify.wrap_socket(plain, server_hostname=way.host) as spoken,
        ):
            certificate: Any = spoken.getpeercert()
    except OSError as error:
        return ServerCertificate((), f"{type(error).__name__}: {error}")
    return ServerCertificate(tuple(name for _, name in certificate["subjectAltName"]), None)


def assert_identity_is_proven(found: ServerCertificate) -> None:
    """Assert that the certificate is the host's, and of an authority that is trusted."""
    assert found.doubt is None, f"the ingress does not prove who it is: {found.doubt}"


def _probe_port(vantage: Vantage, address: str, port: int) -> str | None:
    try:
        vantage.connect(address, port).close()
    except Unreachable as reason:
        return str(reason)
    return None
