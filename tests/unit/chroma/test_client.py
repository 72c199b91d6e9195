"""Chroma's own client takes the way that every other caller takes, whatever the environment says."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from trustme import CA

from support.chroma import client as chroma_client
from support.chroma.reachable import Credential
from support.core.resolver import map_host
from support.network.way import Way
from tests import proxies

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

HOST = "chroma.example.com"
ANSWERS = {
    "/api/v2/auth/identity": {"user_id": "", "tenant": "default_tenant", "databases": ["default_database"]},
    "/api/v2/tenants/default_tenant": {"name": "default_tenant"},
    "/api/v2/heartbeat": {"nanosecond heartbeat": 7},
}


def answer(connection: socket.socket) -> None:
    while True:
        path = proxies.head_of(connection).split()[1].decode()
        body = json.dumps(ANSWERS.get(path, {"id": "0" * 32, "name": "any", "tenant": "any"})).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.fixture
def way() -> Iterator[Way]:
    """A release behind an ingress of an authority that no library brings along."""
    authority = CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(server)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    with proxies.listening(answer, tls=server) as port, map_host(HOST, "127.0.0.1"):
        yield Way("ingress", f"https://{HOST}:{port}", trusted)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "NOTHING"])
def test_the_client_is_let_in_where_others_are(
    way: Way, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody listens there, and there is no such file.
    monkeypatch.setenv(variable, "/no/such/file" if variable == "SSL_CERT_FILE" else "http://127.0.0.1:1")
    client = chroma_client.client(way, Credential(SecretStr("sesame")))
    assert client.heartbeat() == 7
    client.close()


def test_each_client_takes_its_own_way(way: Way) -> None:
    others = Way("ingress", way.url, ssl.create_default_context())
    client = chroma_client.client(way, Credential(SecretStr("sesame")))
    with pytest.raises(ValueError, match="Could not connect"):
        chroma_client.client(others, Credential(SecretStr("sesame")))
    assert client.heartbeat() == 7
    client.close()
