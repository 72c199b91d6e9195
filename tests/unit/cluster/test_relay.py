"""The relay passes on every byte and every end, also where a reset follows an answer."""

import json
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

# Far above what any buffer on the way holds.
MUCH = 32 << 20
AT_ONCE = struct.pack("ii", 1, 0)


@contextmanager
def relayed(serve: Callable[[socket.socket], None]) -> Iterator[socket.socket]:
    """Lend a connection through a relay, in a process of its own, to one connection's server."""
    with socket.create_server(("127.0.0.1", 0)) as target, socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with target.accept()[0] as connection:
                serve(connection)

        server = threading.Thread(target=answer)
        server.start()
        targets = json.dumps({listener.fileno(): target.getsockname()})
        relay = subprocess.Popen(
            [sys.executable, "-m", "cluster.host.relay", targets], pass_fds=[listener.fileno()]
        )
        try:
            with socket.create_connection(listener.getsockname(), timeout=20) as client:
                yield client
        finally:
            server.join(timeout=20)
            relay.kill()
            relay.wait()


def whole(connection: socket.socket) -> bytes:
    """Return all that comes until the end."""
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def test_both_directions_end_by_themselves() -> None:
    def echo(connection: socket.socket) -> None:
        connection.sendall(whole(connection))

    sent = bytes(range(256)) * (MUCH // 8 // 256)
    with relayed(echo) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        assert whole(client) == sent


@pytest.mark.parametrize("_", range(5))
def test_an_answer_that_a_reset_follows_arrives(_: int) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(b"413")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)

    with relayed(refuse) as client:
        sender = threading.Thread(target=send_quietly, args=(client, bytes(MUCH)))
        sender.start()
        assert client.recv(3) == b"413"
        with suppress(OSError):  # which the reset may have done
            client.shutdown(socket.SHUT_RDWR)
        sender.join(timeout=20)


def send_quietly(connection: socket.socket, data: bytes) -> None:
    """Send as much as the other side takes."""
    with suppress(OSError):
        connection.sendall(data)
