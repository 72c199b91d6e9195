"""Joins connections from outside the network namespace to addresses inside, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from typing import Final

_CHUNK: Final = 1 << 18
_PATIENCE: Final = 10.0
# Seconds until the next try where there are no descriptors left: connections end meanwhile.
_BREATH: Final = 0.1


async def serve(listeners: dict[int, tuple[str, int]]) -> None:
    """Relay each connection accepted on a listening socket (by file descriptor) to its (host, port).

    The sockets were made outside and still belong there: that alone joins the two namespaces.
    """
    async with asyncio.TaskGroup() as group:
        for descriptor, target in listeners.items():
            group.create_task(_accept(socket.socket(fileno=descriptor), target))


async def _accept(listener: socket.socket, target: tuple[str, int]) -> None:
    """Join what comes, for ever."""
    listener.setblocking(False)
    listener.listen(1024)
    loop, joined = asyncio.get_running_loop(), set[asyncio.Task[None]]()
    while True:
        try:
            client, _ = await loop.sock_accept(listener)
        except OSError:
            await asyncio.sleep(_BREATH)
            continue
        task = asyncio.create_task(_join(client, target))
        joined.add(task)  # the loop itself keeps no task alive
        task.add_done_callback(joined.discard)


async def _join(client: socket.socket, target: tuple[str, int]) -> None:
    with client, socket.socket() as server:
        server.setblocking(False)
        try:
            connecting = asyncio.get_running_loop().sock_connect(server, target)
            await asyncio.wait_for(connecting, _PATIENCE)
        except (OSError, TimeoutError):
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(_pump(client, server), _pump(server, client))


async def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy one direction until its end, and pass the end on; the other direction goes on by itself.

    A sink that takes no more is no reason to end the connection: a server that refuses a long request has already sent
    its answer the other way. So the sockets are read plainly: asyncio's streams forget what they have received once a
    reset follows it, and the kernel does not.
    """
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while data := await loop.sock_recv(source, _CHUNK):
            await loop.sock_sendall(sink, data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    asyncio.run(serve({int(fd): (host, port) for fd, (host, port) in json.loads(sys.argv[1]).items()}))
