"""Connects to a host through the proxy that a kubeconfig or the environment names, or straight."""

from __future__ import annotations

import ipaddress
import select
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from apiserver.errors import NoAnswerError, UnusableError

if TYPE_CHECKING:
    from collections.abc import Callable

# As kubectl reads them: to `socks5` the name goes unresolved, too.
_KINDS: Final = {
    "http": ("HTTP", 80),
    "https": ("HTTP", 443),
    "socks5": ("SOCKS5", 1080),
    "socks5h": ("SOCKS5", 1080),
}
# Statuses of a proxy by which it refuses us: no waiting changes that.
_REFUSALS: Final = {401, 403, 407}
_CHUNK: Final = 256 * 1024


def dial_straight(host: str, port: int, timeout: float | None) -> socket.socket:
    """Connect to a host and port without a proxy; raises OSError."""
    return _prompt(socket.create_connection((host, port), timeout))


@dataclass(frozen=True)
class Proxy:
    """A proxy by its parts; `tls` is what it has to be believed by where it is spoken to in TLS."""

    scheme: str
    host: str
    port: int
    username: str | None
    password: str | None
    tls: Callable[[], ssl.SSLContext]

    @classmethod
    def of(cls, url: str, source: str, tls: Callable[[], ssl.SSLContext]) -> Proxy:
        """Read a URL that `source` names; raises `UnusableError`, which shows no password."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in _KINDS:
            raise UnusableError(
                f"{source} names a proxy of the kind {parts.scheme}, which is not supported: "
                "give one of http, https or socks5"
            )
        try:
            port = parts.port or _KINDS[parts.scheme][1]
        except ValueError:
            port = 0
        if not parts.hostname or not port:
            raise UnusableError(f"{source} is no URL of a proxy: give http://[NAME:PASSWORD@]HOST:PORT")
        user = None if parts.username is None else unquote(parts.username)
        word = None if parts.username is None else unquote(parts.password or "")
        return cls(parts.scheme, parts.hostname, port, user, word, tls)

    def __str__(self) -> str:
        return f"the proxy {self.scheme}://{self.host}:{self.port}"

    def dial(self, host: str, port: int, timeout: float | None) -> socket.socket:
        """Connect to a host and port as the proxy knows them; raises `NoAnswerError`, or OSError."""
        # Most clusters are reached without.
        from python_socks import ProxyError, ProxyType  # noqa: PLC0415 - see above
        from python_socks.sync import Proxy as Connector  # noqa: PLC0415 - likewise

        connector = Connector(
            ProxyType[_KINDS[self.scheme][0]],
            self.host,
            self.port,
            self.username,
            self.password,
            rdns=True,
            forward=_InTls(self) if self.scheme == "https" else None,  # type: ignore[arg-type]  # it connects, which is all that is asked of it
        )
        try:
            return _prompt(connector.connect(host, port, timeout))
        except ProxyError as error:
            refused = error.error_code in _REFUSALS or self.scheme.startswith("socks")
            hint = "; see the name and password in its URL" if error.error_code == 407 else ""
            raise NoAnswerError(
                f"{self} refuses the way to {host}:{port}: {error}{hint}", lasting=refused
            ) from error
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", "") or getattr(error, "reason", None) or error
            raise NoAnswerError(f"{self} is not believed: {why}", lasting=True) from error
        except OSError as error:
            raise NoAnswerError(f"{self} does not answer: {error.strerror or error}") from error


def of_environment(server: str, tls: Callable[[], ssl.SSLContext]) -> Proxy | None:
    """Return the proxy that the environment names for a server's URL; none leads back to this machine."""
    parts = urlsplit(server)
    host = parts.hostname or ""
    proxies = getproxies_environment()
    url = proxies.get(parts.scheme) or proxies.get("all")
    if not url or _is_loopback(host) or proxy_bypass(host):
        return None
    return Proxy.of(url, f"{parts.scheme}_proxy in the environment", tls)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _InTls:
    """Connects to a proxy that wants to be spoken to in TLS; what is said to it is put into TLS on the way."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    def connect(self, dest_host: str, dest_port: int, timeout: float | None) -> socket.socket:
        plain = dial_straight(dest_host, dest_port, timeout)
        try:
            outer = self._proxy.tls().wrap_socket(plain, server_hostname=dest_host)
        except BaseException:
            plain.close()
            raise
        # TLS within TLS: whoever uses the connection gets a socket as any other.
        near, far = socket.socketpair()
        near.settimeout(timeout)
        threading.Thread(target=_carry, args=(outer, far), name=f"to {self._proxy}", daemon=True).start()
        return near


def _carry(outer: ssl.SSLSocket, near: socket.socket) -> None:
    """Carry bytes both ways between a connection in TLS and a plain one until either ends."""
    waiting: dict[Any, bytearray] = {outer: bytearray(), near: bytearray()}  # what each is still to be sent
    with outer, near, suppress(OSError):
        outer.setblocking(False)
        near.setblocking(False)
        while True:
            poll = select.poll()
            for one, other in ((outer, near), (near, outer)):
                events = select.POLLIN if len(waiting[other]) < _CHUNK else 0
                poll.register(one, events | (select.POLLOUT if waiting[one] else 0))
            poll.poll(0 if outer.pending() and len(waiting[near]) < _CHUNK else None)
            for one, other in ((outer, near), (near, outer)):
                if len(waiting[other]) < _CHUNK:
                    data = _received(one)
                    if data == b"":
                        _flush(other, waiting[other])
                        return
                    waiting[other] += data or b""
                _send(one, waiting[one])


def _received(one: socket.socket) -> bytes | None:
    try:
        return one.recv(_CHUNK)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None


def _send(one: socket.socket, data: bytearray) -> None:
    with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        while data:
            del data[: one.send(data)]


def _flush(one: socket.socket, data: bytearray) -> None:
    one.setblocking(True)
    one.sendall(data)


def _prompt(connected: socket.socket) -> socket.socket:
    if connected.family != socket.AF_UNIX:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected
