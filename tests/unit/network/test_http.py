"""Requests go out as given, and whatever comes back is taken for what it is: verified https, bodies, and broken answers."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from trustme import CA

from support.core.resolver import map_host
from support.network.http import Body, NoResponse, Response, ask, connection
from support.network.way import Way, tls_context
from tests.proxies import head_of, listening

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

HOST = "chroma.example.com"
LOOPBACK = "127.0.0.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def mirror(connection: socket.socket) -> None:
    """Answer each request with its own head, and redirect."""
    while True:
        head = head_of(connection)
        answer = f"HTTP/1.1 308 Gone there\r\nLocation: /there\r\nContent-Length: {len(head)}\r\n\r\n"
        connection.sendall(answer.encode() + head)


@contextmanager
def service(handle: Callable[[socket.socket], None]) -> Iterator[Way]:
    with listening(handle) as port:
        yield Way("service", f"http://{LOOPBACK}:{port}", tls_context(None))


@contextmanager
def saying(answer: bytes) -> Iterator[Way]:
    """Serve one who hears a question out as far as its head, says this, and ends the connection."""

    def handle(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(answer)

    with service(handle) as way:
        yield way


# Whom to believe


@pytest.fixture(scope="module")
def authority() -> CA:
    return CA()


@pytest.fixture
def https_port(authority: CA) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    with listening(mirror, tls=context) as port, map_host("*.example.com", LOOPBACK):
        yield port


def https_way(port: int, host: str, trusted: CA) -> Way:
    with trusted.cert_pem.tempfile() as bundle:
        return Way("ingress", f"https://{host}:{port}", tls_context(Path(bundle)))


def test_the_ingress_is_believed_under_its_name_and_authority(https_port: int, authority: CA) -> None:
    way = https_way(https_port, HOST, authority)
    assert ask(way, "GET", "/").status == 308
    with httpx.Client(verify=way.verify) as client:
        assert client.get(way.url).status_code == 308


def test_the_ingress_is_not_believed_under_another_name(https_port: int, authority: CA) -> None:
    with pytest.raises(NoResponse, match="Hostname mismatch"):
        ask(https_way(https_port, "other.example.com", authority), "GET", "/")


def test_the_ingress_is_not_believed_under_another_authority(https_port: int) -> None:
    with pytest.raises(NoResponse, match="unable to get local issuer"):
        ask(https_way(https_port, HOST, CA()), "GET", "/")


# What goes out


@pytest.fixture
def mirror_way() -> Iterator[Way]:
    with service(mirror) as way:
        yield way


def test_a_question_goes_out_as_given_and_no_redirect_is_followed(mirror_way: Way) -> None:
    response = ask(mirror_way, "PROPFIND", "//a/./b/%68?c", [("X-A", "one, two"), ("X-A", "three")])
    assert response.status == 308
    assert response.header("LOCATION") == "/there"
    sent = response.body.decode().splitlines()
    assert sent[0] == "PROPFIND //a/./b/%68?c HTTP/1.1"
    assert [entry for entry in sent if entry.startswith("X-A")] == ["X-A: one, two", "X-A: three"]


def test_a_line_asks_on_one_connection(mirror_way: Way) -> None:
    with connection(mirror_way) as opened:
        assert [opened.ask("GET", path).body[:6] for path in ("/1", "/2")] == [b"GET /1", b"GET /2"]


def test_a_message_holds_the_question_and_no_header(mirror_way: Way) -> None:
    with pytest.raises(NoResponse) as caught:
        ask(Way("pod", "http://127.0.0.1:9", tls_context(None)), "GET", "/x", [("X-Chroma-Token", "sesame")])
    assert "GET /x through the pod" in str(caught.value)
    assert "sesame" not in str(caught.value)
    assert str(ask(mirror_way, "GET", "/x")).startswith("GET /x through the service: 308")


def test_the_host_is_named_with_its_port_unless_that_is_the_usual_one(mirror_way: Way) -> None:
    assert f"Host: {LOOPBACK}:{mirror_way.port}\r\n".encode() in ask(mirror_way, "GET", "/").body


def test_a_dictionary_goes_out_as_json(mirror_way: Way) -> None:
    head = ask(mirror_way, "POST", "/", body={"name": "x"}).body
    assert b"Content-Type: application/json\r\nContent-Length: 13\r\n" in head


def test_a_token_beyond_ascii_goes_out_as_it_is(mirror_way: Way) -> None:
    assert "X-A: sésame".encode("latin-1") in ask(mirror_way, "GET", "/", [("X-A", "sésame")]).body


# Bodies


def received(connection: socket.socket, answer: bytes) -> None:
    """Let a body come after the leave to send it, and tell how many bytes of it have come."""
    connection.sendall(answer)
    size = 0
    while size < 10 and (data := connection.recv(10)):
        size += len(data)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n%d" % size)


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 102 Processing\r\n\r\n"], ids=["at once", "later"])
def test_a_body_is_sent_once_the_other_side_has_asked_for_it(before: bytes) -> None:
    def handle(connection: socket.socket) -> None:
        assert b"Expect: 100-continue\r\n" in head_of(connection)
        received(connection, before + CONTINUE)

    with service(handle) as way:
        assert ask(way, "POST", "/", body=Body(10, [b"12345", b"67890"])).body == b"10"


def test_a_body_that_is_not_asked_for_is_not_sent() -> None:
    def pieces() -> Iterator[bytes]:
        pytest.fail("the body was sent")
        yield b""

    with saying(TOO_LARGE) as way:
        assert ask(way, "POST", "/", body=Body(10, pieces())).status == 413


def test_a_refusal_in_the_middle_of_a_body_is_taken() -> None:
    size = 1 << 26  # more than all buffers on the way

    def handle(connection: socket.socket) -> None:
        assert b"Transfer-Encoding: chunked\r\n" in head_of(connection)
        connection.sendall(TOO_LARGE)
        connection.recv(1)  # and closes with the rest unread, which resets the connection

    with service(handle) as way:
        assert (
            ask(way, "POST", "/", body=Body(size, [b" " * 65536] * (size >> 16), chunked=True)).status == 413
        )


# What comes back


def test_an_interim_answer_is_none() -> None:
    with saying(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK) as way:
        assert ask(way, "GET", "/").body == b"ok"


def test_a_switch_to_another_protocol_is_an_answer() -> None:
    with (
        saying(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\n\r\nfoo") as way,
        connection(way) as opened,
    ):
        response = opened.ask("GET", "/", [("Connection", "Upgrade"), ("Upgrade", "foo")])
    assert (response.status, response.header("upgrade"), response.body) == (101, "foo", b"")


def test_headers_repeat_and_keep_their_order() -> None:
    with saying(b"HTTP/1.1 204 No\r\nSet-Cookie: a\r\nX-B: b\r\nset-cookie: c\r\n\r\n") as way:
        response = ask(way, "GET", "/")
    assert response.headers == (("set-cookie", "a"), ("x-b", "b"), ("set-cookie", "c"))
    assert response.header("Set-Cookie") == "a"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nbody",
        b"HTTP/1.1 200\r\nContent-Length: 4\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 60_000 + b"\r\nContent-Length: 4\r\n\r\nbody",
    ],
    ids=["chunked", "to the end of the connection", "without a reason", "with a long header"],
)
def test_a_body_is_read_to_its_end(answer: bytes) -> None:
    with saying(answer) as way:
        assert ask(way, "GET", "/").body == b"body"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "RemoteProtocolError: Server disconnected"),
        (b"HTTP/1.1 200 O", "RemoteProtocolError: Server disconnected"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody", "received 4 bytes, expected 9"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "RemoteProtocolError: illegal status line"),
        (b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 70_000, "RemoteProtocolError: Receive buffer too long"),
    ],
    ids=["nothing", "half a head", "half a body", "another protocol", "headers without end"],
)
def test_what_is_no_whole_answer_is_none(answer: bytes, reason: str) -> None:
    with saying(answer) as way, pytest.raises(NoResponse, match=rf"GET /x through the service: .*{reason}"):
        ask(way, "GET", "/x")


@pytest.mark.parametrize("first", [TOO_LARGE, b""], ids=["said so", "broke off"])
def test_a_line_is_opened_anew_where_the_other_side_has_ended_it(first: bytes) -> None:
    answers = [first, OK]

    def handle(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(answers.pop(0))

    with service(handle) as way, connection(way) as opened:
        if first:
            assert opened.ask("GET", "/").status == 413
        else:
            with pytest.raises(NoResponse):
                opened.ask("GET", "/")
        assert opened.ask("GET", "/").body == b"ok"


def test_an_answer_that_is_no_json_is_shown() -> None:
    response = Response("GET /collections", 404, (), b"404 page not found")
    with pytest.raises(
        ValueError, match=r"no JSON came as an answer: GET /collections: 404 404 page not found"
    ):
        response.json()
