"""What is at an address is told in a line: what it is, whether it is open, or why it cannot be used."""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from trustme import CA

from support.chroma.endpoint import Endpoint, EndpointError, find
from support.chroma.reachable import Credential, Tenancy
from support.network.way import Way, at
from tests import proxies

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = "sesame-0123456789"
LIST = Tenancy().collections
OPEN = {
    "/api/v2/version": (200, b'"1.0.0"'),
    "/api/v2/heartbeat": (200, b'{"nanosecond heartbeat":7}'),
    LIST: (200, b"[]"),
}


def serve(
    answers: Mapping[str, tuple[int, bytes]], header: str = "", open_paths: tuple[str, ...] = ()
) -> proxies.Handle:
    """Answer as these say; with a header, only to who shows the token in it."""

    def answer(near: socket.socket) -> None:
        head = proxies.head_of(near)
        path = head.split()[1].decode()
        shown = f"{header}: ".encode()
        lines = head.split(b"\r\n")
        let_in = not header or any(one.startswith(shown) and one.endswith(TOKEN.encode()) for one in lines)
        status, body = answers.get(path, (404, b"nothing"))
        if not (let_in or path in open_paths):
            status, body = 401, b"{}"
        reason = http.client.responses[status]
        near.sendall(f"HTTP/1.1 {status} {reason}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    return answer


def ask(answer: proxies.Handle, token: str = "", header: str = "X-Chroma-Token") -> Endpoint:
    with proxies.listening(answer) as port:
        return find(at(f"http://127.0.0.1:{port}"), Credential(SecretStr(token), header), Tenancy())


def test_an_open_chroma_is_told_as_open() -> None:
    found = ask(serve(OPEN))
    assert found.open
    assert "authentication" not in found.capabilities
    assert "answers without a token" in found.insecurity
    assert found.told_version == "1.x", "every 1.x says of itself that it is 1.0.0"


def test_one_that_lets_everyone_in_is_open_whatever_token_is_given() -> None:
    assert ask(serve(OPEN), TOKEN).open


def test_a_gateway_is_held_to_what_the_documented_one_promises() -> None:
    found = ask(serve(OPEN, "X-Chroma-Token", ("/api/v2/heartbeat",)), TOKEN)
    assert not found.open
    assert {"authentication", "gateway"} <= found.capabilities
    assert (found.refusal, found.insecurity) == (401, "")


def test_a_proxy_that_asks_for_a_bearer_is_held_to_refusing() -> None:
    found = ask(serve(OPEN, "Authorization"), TOKEN, "Authorization")
    assert "authentication" in found.capabilities
    assert not {"gateway", "native-authentication"} & found.capabilities


def test_chromas_own_authentication_is_known_by_what_it_leaves_open() -> None:
    answers = {**OPEN, "/api/v2/version": (200, b'"0.5.23"')}
    found = ask(serve(answers, "X-Chroma-Token", ("/api/v2/version", "/api/v2/heartbeat")), TOKEN)
    assert {"authentication", "native-authentication", "api-v1"} <= found.capabilities
    assert found.refusal == 403
    assert "/api/v2/version" in found.open_paths


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({}, "is not Chroma: /api/v1/version gives 404 nothing"),
        ({"/api/v2/version": (200, b"<html>")}, "is not Chroma"),
        (
            {"/api/v1/version": (200, b'"0.4.24"')},
            "is Chroma 0.4.24, which has no version 2 of the interface",
        ),
        ({**OPEN, "/api/v2/heartbeat": (200, b"alive")}, "is not Chroma: /api/v2/heartbeat gives 200 alive"),
        ({**OPEN, LIST: (404, b"")}, "has no database 'default_database' of a tenant 'default_tenant'"),
        ({**OPEN, LIST: (500, b"broken")}, "does not list its collections"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_line(answers: Mapping[str, tuple[int, bytes]], told: str) -> None:
    with pytest.raises(EndpointError) as caught:
        ask(serve(answers))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_token_that_is_refused_or_missing_is_told_and_never_shown() -> None:
    with pytest.raises(
        EndpointError, match="refuses the token of CHROMA_TOKEN in the header X-Chroma-Token"
    ) as error:
        ask(serve(OPEN, "X-Chroma-Token"), "another-one")
    assert "another-one" not in str(error.value)
    with pytest.raises(
        EndpointError, match=r"asks for a token \(401\): give it in the environment, in CHROMA_TOKEN"
    ):
        ask(serve(OPEN, "X-Chroma-Token"))


def test_an_address_where_nothing_listens_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(EndpointError, match=f"nothing answers at {url}: Connection refused"):
        find(at(url), Credential(SecretStr("")), Tenancy())


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"http_proxy": "http://proxy.example.com:3128"}, True),
        ({"all_proxy": "http://proxy.example.com:3128"}, True),
        ({"https_proxy": "http://proxy.example.com:3128"}, False),
        ({"http_proxy": "http://proxy.example.com:3128", "no_proxy": "127.0.0.1"}, False),
        ({}, False),
    ],
)
def test_a_proxy_of_the_environment_is_told_where_it_might_have_led_there(
    monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str], told: bool
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(EndpointError) as caught:
        find(at(url), Credential(SecretStr("")), Tenancy())
    assert ("http_proxy in the environment is not taken" in str(caught.value)) == told
    assert "proxy.example.com" not in str(caught.value)


def test_a_certificate_that_is_not_trusted_is_told() -> None:
    authority, server = CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    with proxies.listening(serve(OPEN), tls=server) as port:
        url = f"https://127.0.0.1:{port}"
        with pytest.raises(EndpointError, match=f"the certificate of {url} is not trusted: .*SSL_CERT_FILE"):
            find(at(url), Credential(SecretStr("")), Tenancy())
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        assert find(Way("endpoint", url, trusting), Credential(SecretStr("")), Tenancy()).open


def test_the_wrong_scheme_is_told() -> None:
    def answer(near: socket.socket) -> None:
        near.recv(1)
        near.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with proxies.listening(answer) as port, pytest.raises(EndpointError, match="is it http://"):
        find(at(f"https://127.0.0.1:{port}"), Credential(SecretStr("")), Tenancy())
