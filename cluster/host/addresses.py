"""Finds a loopback address for a cluster and listens on it."""

from __future__ import annotations

import errno
import socket

from cluster import layout
from cluster.errors import ClusterError

# Far from 127.0.0.x and 127.0.1.1, which other programs use.
_CANDIDATES = [f"127.77.{third}.{fourth}" for third in range(4) for fourth in range(1, 255)]


def listen() -> tuple[str, dict[int, socket.socket]]:
    """Listen on every relayed port of the first address that has them all free.

    Gives the address and the sockets by port. Raises ClusterError when there is no such address: then
    a program listens on one of the ports at every address.
    """
    taken = 0
    for address in _CANDIDATES:
        sockets: dict[int, socket.socket] = {}
        try:
            for port in layout.RELAYED:
                sockets[port] = _listen(address, port)
        except OSError as error:
            for one in sockets.values():
                one.close()
            if error.errno != errno.EADDRINUSE:
                raise ClusterError(f"cannot listen on {address}:{port}: {error.strerror}") from error
            taken = port
        else:
            return address, sockets
    raise ClusterError(
        f"port {taken} is taken on every address from {_CANDIDATES[0]} to {_CANDIDATES[-1]}: a program listens on "
        f"it at all addresses (`ss -ltnp 'sport = :{taken}'` names it). End it, or let it listen on its own "
        "address only."
    )


def _listen(address: str, port: int) -> socket.socket:
    listener = socket.socket()
    try:
        # Connections of an ended cluster that linger in TIME_WAIT are no reason to avoid its address.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener
