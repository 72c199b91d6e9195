"""Proxies and relays of a test's own, on the loopback: what may lie on the way to an API server."""

from __future__ import annotations

import base64
import select
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    Address = tuple[str, int]
    Handle = Callable[[socket.socket], None]

USER, PASSWORD = "jo", "p@w:d"
IN_URL = "jo:p%40w%3Ad"


@contextmanager
def listening(handle: Handle, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve each connection in a thread of its own; yields the port."""
    listener = socket.create_server((host, 0))

    def serve(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.settimeout(30)
            with tls.wrap_socket(connection, server_side=True) if tls else connection as spoken:
                handle(spoken)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def relay(target: Address) -> Handle:
    """Carry every connection to a target, as a forwarded port does."""
    return lambda near: _join(near, socket.create_connection(target))


def http_proxy(names: dict[str, Address], refusal: str = "") -> Handle:
    """Connect to the targets of CONNECT for those who show the password; it alone knows some names."""
    wanted = b"Proxy-Authorization: Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode())

    def handle(near: socket.socket) -> None:
        head = head_of(near)
        if refusal or wanted.lower() not in head.lower():
            near.sendall(f"HTTP/1.1 {refusal or '407 Proxy Authentication Required'}\r\n\r\n".encode())
            return
        target = head.split()[1].decode()
        host, _, port = target.rpartition(":")
        far = socket.create_connection(names.get(target) or (host, int(port)))
        near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        _join(near, far)

    return handle


def socks_proxy(names: dict[str, Address]) -> Handle:
    """Do the same in SOCKS 5 (RFC 1928, 1929)."""

    def handle(near: socket.socket) -> None:
        _, count = _exactly(near, 2)
        if 2 not in _exactly(near, count):
            near.sendall(b"\x05\xff")
            return
        near.sendall(b"\x05\x02")
        _exactly(near, 1)  # the version of this part of the protocol
        shown = [_exactly(near, _exactly(near, 1)[0]) for _ in range(2)]
        right = shown == [USER.encode(), PASSWORD.encode()]
        near.sendall(b"\x01" + bytes([not right]))
        _, _, _, kind = _exactly(near, 4) if right else (0, 0, 0, 0)
        if kind != 3:  # only names: whoever resolves them by himself is not served
            return
        host = _exactly(near, _exactly(near, 1)[0]).decode()
        port = int.from_bytes(_exactly(near, 2), "big")
        far = socket.create_connection(names.get(f"{host}:{port}") or (host, port))
        near.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        _join(near, far)

    return handle


def head_of(connection: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += _exactly(connection, 1)
    return data


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("the other side is gone")
        data += more
    return data


def _join(near: socket.socket, far: socket.socket) -> None:
    with far:
        far.settimeout(30)
        while True:
            pending = getattr(near, "pending", lambda: 0)()
            ready = [near] if pending else select.select([near, far], [], [], 60)[0]
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                (far if one is near else near).sendall(data)
