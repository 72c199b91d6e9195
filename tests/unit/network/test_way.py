"""Offline checks of the ways in: names, and the vantage's tunnels."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from support.core import resolver
from support.core.resolver import map_host
from support.core.wait import Deadlines
from support.kube.errors import ApiError
from support.network.tunnel import NoWay, Tunnel, Unreachable
from support.network.vantage import Vantage
from support.network.way import Way, at, netloc, tls_context
from tests.proxies import head_of, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "chroma.example.com"
LOOPBACK = "127.0.0.1"


# Names


def resolve(name: str) -> str:
    return str(socket.getaddrinfo(name, 80, proto=socket.IPPROTO_TCP)[0][4][0])


@pytest.mark.parametrize(
    ("url", "host", "clear"),
    [
        ("https://[fd00::7]:8443", "fd00::7", "http://[fd00::7]"),
        ("https://[fd00::7]", "fd00::7", "http://[fd00::7]"),
        (f"https://{HOST}", HOST, f"http://{HOST}"),
    ],
)
def test_an_address_of_ipv6_is_in_brackets_wherever_it_is_part_of_a_url(
    url: str, host: str, clear: str
) -> None:
    assert at(url).host == host
    assert Way("ingress", url, tls_context(None)).in_clear().url == clear


@pytest.mark.parametrize("pattern", [HOST, "*.example.com", HOST.upper()])
@pytest.mark.parametrize(
    "asked", [HOST, HOST + ".", HOST.upper(), HOST.encode()], ids=["plain", "dot", "upper", "bytes"]
)
def test_a_mapped_name_resolves_to_its_address_however_it_is_spelt(pattern: str, asked: Any) -> None:
    with map_host(pattern, "127.4.5.6"):
        assert resolve(asked) == "127.4.5.6"


@pytest.mark.parametrize("other", ["localhost", "127.0.0.1"])
def test_other_names_resolve_as_before(other: str) -> None:
    with map_host("*.example.com", "127.4.5.6"):
        assert resolve(other) == LOOPBACK


@pytest.mark.parametrize("name", ["example.com", "notexample.com", "chroma.example.org", "", None])
def test_a_wildcard_holds_for_names_below_the_domain_alone(name: str | None) -> None:
    with map_host("*.example.com", "127.4.5.6"):
        assert resolver._mapped(name) == name


def test_mappings_end_in_any_order_and_leave_the_resolver_as_it_was() -> None:
    outer, inner = map_host(HOST, "127.4.5.6"), map_host(HOST, "127.7.8.9")
    outer.__enter__()
    inner.__enter__()
    assert resolve(HOST) == "127.7.8.9"
    outer.__exit__(None, None, None)
    assert resolve(HOST) == "127.7.8.9"
    inner.__exit__(None, None, None)
    assert socket.getaddrinfo is resolver._resolve


def test_a_mapping_holds_in_every_thread() -> None:
    seen: list[str] = []
    with map_host(HOST, "127.4.5.6"):
        thread = threading.Thread(target=lambda: seen.append(resolve(HOST)))
        thread.start()
        thread.join()
    assert seen == ["127.4.5.6"]


def test_the_name_of_another_host_is_resolved_at_each_use() -> None:
    with map_host("*.example.com", "balancer.invalid"):
        with pytest.raises(socket.gaierror):
            resolve(HOST)
        with map_host("balancer.invalid", "127.4.5.6"):
            assert resolve(HOST) == "127.4.5.6"
    with map_host("*.example.com", "localhost"):
        assert resolve(HOST) == LOOPBACK


def test_a_name_below_its_own_pattern_ends_somewhere() -> None:
    with map_host("*.example.com", "balancer.example.com"):
        assert resolver._mapped(HOST) == "balancer.example.com"


@pytest.mark.parametrize(
    ("host", "address", "missing"),
    [
        ("nobody.invalid", None, "nobody.invalid"),
        ("nobody.invalid", "127.0.0.1", ""),
        ("localhost", None, ""),
        ("localhost", "balancer.invalid", "balancer.invalid"),
        ("a" * 64 + ".example", None, "a" * 64 + ".example"),
    ],
)
def test_the_name_that_has_no_address_is_named(host: str, address: str | None, missing: str) -> None:
    assert resolver.nameless(host, address).partition(" has no address here (")[0] == missing


# The vantage's tunnels


def echo(connection: socket.socket) -> None:
    """Send back what comes, and only then the end."""
    while data := connection.recv(65536):
        connection.sendall(data)


def slow_answer(connection: socket.socket) -> None:
    """Hear the other side out before saying a word."""
    heard = b""
    while data := connection.recv(65536):
        heard += data
    connection.sendall(b"heard " + heard)


def direct(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port))


@contextmanager
def tunnel(handle: Callable[[socket.socket], None]) -> Iterator[Tunnel]:
    with listening(handle) as port:
        made = Tunnel(LOOPBACK, port, direct)
        yield made
        made.close()


def dial(made: Tunnel) -> socket.socket:
    # What is broken fails, and does not hang.
    return socket.create_connection(made.address, timeout=10)


def read_all(connection: socket.socket) -> bytes:
    data = b""
    while more := connection.recv(65536):
        data += more
    return data


def test_a_tunnel_passes_bytes_as_they_are_both_ways_at_once() -> None:
    sent = bytes(range(256)) * 40_000  # 10 MB: more than all buffers on the way
    with tunnel(echo) as made, dial(made) as client:

        def send() -> None:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        assert read_all(client) == sent
        sender.join()


def test_a_tunnel_passes_the_end_of_one_side_and_still_brings_the_answer() -> None:
    with tunnel(slow_answer) as made, dial(made) as client:
        client.sendall(b"all I have to say")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"heard all I have to say"


def test_a_closed_tunnel_ends_its_connections_and_listens_no_more() -> None:
    with tunnel(echo) as made, dial(made) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        made.close()
        assert client.recv(1) == b""
        with pytest.raises(OSError):  # noqa: PT011 - refused or reset
            dial(made).recv(1)


class FakeKube:
    """The one port-forward that the vantage needs, to a CONNECT proxy on the loopback instead of a pod."""

    def __init__(self, port: int) -> None:
        self.port = port

    def forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        assert (namespace, pod, port) == ("there", "vantage", 1080)
        return socket.create_connection((LOOPBACK, self.port))

    def get(self, *_: object) -> None:
        return None


def connect_proxy(connection: socket.socket) -> None:
    target = head_of(connection).split()[1].decode()
    host, port = target.rsplit(":", 1)
    if port == "1080":  # itself
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    elif host == "greeter":  # speaks first, in the same packet
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")
    else:
        body = f"dial tcp {target}: connection refused".encode()
        connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.fixture
def vantage() -> Iterator[Vantage]:
    with listening(connect_proxy) as port:
        kube: Any = FakeKube(port)
        yield Vantage(kube, "probe", Deadlines(), namespace="there", run_id="run")


def test_the_vantage_connects_and_loses_no_byte_behind_the_consent(vantage: Vantage) -> None:
    with vantage.connect("greeter", 25) as connection:
        assert read_all(connection) == b"hello"


def test_the_vantage_says_why_a_target_cannot_be_reached(vantage: Vantage) -> None:
    with pytest.raises(
        Unreachable, match=r"10\.0\.0\.7:8001 cannot be reached .*: dial .* connection refused"
    ):
        vantage.connect("10.0.0.7", 8001)


def test_a_tunnel_to_where_nobody_listens_closes_and_logs_the_reason(
    vantage: Vantage, caplog: pytest.LogCaptureFixture
) -> None:
    made = vantage.tunnel("10.0.0.7", 8001)
    with caplog.at_level(logging.WARNING), dial(made) as client:
        assert client.recv(1) == b""
    assert "connection refused" in caplog.text
    made.close()


def test_a_vantage_that_does_not_come_up_says_what_is_seen_of_it() -> None:
    silent = socket.create_server((LOOPBACK, 0))
    kube: Any = FakeKube(silent.getsockname()[1])
    silent.close()

    def forward(*_: object) -> socket.socket:
        raise Unreachable("the proxy does not answer")

    kube.forward = forward
    vantage = Vantage(kube, "probe", Deadlines(live=0.1), namespace="there", run_id="run")
    with pytest.raises(AssertionError, match=r"pod there/vantage does not answer; its state: absent"):
        vantage.connect("10.0.0.7", 8001)


@pytest.mark.parametrize("ask", ["connect", "tunnel"])
def test_a_vantage_to_which_no_way_leads_says_so_at_once_and_blames_no_release(ask: str) -> None:
    class NoWebsockets(FakeKube):
        def forward(self, namespace: str, pod: str, port: int) -> socket.socket:
            raise ApiError(0, "Unanswered", f"no way into {namespace}/{pod}:{port}", lasting=True)

    kube: Any = NoWebsockets(0)
    vantage = Vantage(kube, "probe", Deadlines(live=60), namespace="there", run_id="run")
    with pytest.raises(
        NoWay, match=r"no way into there/vantage:1080; .* nothing is known of what a neighbour sees"
    ):
        getattr(vantage, ask)("10.0.0.7", 8001)


@pytest.mark.parametrize(
    ("host", "there"),
    [
        ("10.244.0.7", "10.244.0.7:8000"),
        ("fd00:10:244::7", "[fd00:10:244::7]:8000"),
        ("chromadb-svc.chroma.svc.cluster.local", "chromadb-svc.chroma.svc.cluster.local:8000"),
    ],
)
def test_an_address_of_ipv6_stands_in_brackets(host: str, there: str) -> None:
    assert netloc(host, 8000) == there


def test_a_pod_of_ipv6_is_asked_for_in_brackets(vantage: Vantage) -> None:
    with pytest.raises(Unreachable, match=r"dial tcp \[fd00::7\]:8000"):
        vantage.connect("fd00::7", 8000)
