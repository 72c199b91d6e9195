"""Joins connections from outside the network namespace to addresses inside, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_CHUNK = 1 << 18
_PATIENCE = 10.0


async def serve(listeners: dict[int, tuple[str, int]]) -> None:
    """Relay each connection accepted on a listening socket (by file descriptor) to its (host, port).

    The sockets were made outside and still belong there: that alone joins the two namespaces.
    """
    async with contextlib.AsyncExitStack() as stack:
        for descriptor, (host, port) in listeners.items():
            listener = socket.socket(fileno=descriptor)
            server = await asyncio.start_server(
                _joiner(host, port), sock=listener, limit=_CHUNK, backlog=1024
            )
            await stack.enter_async_context(server)
        await asyncio.Event().wait()


def _joiner(
    host: str, port: int
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]:
    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            target = await asyncio.wait_for(asyncio.open_connection(host, port, limit=_CHUNK), _PATIENCE)
        except (OSError, TimeoutError):
            writer.transport.abort()
            return
        await asyncio.gather(_pump(reader, target[1]), _pump(target[0], writer))
        for end in (writer, target[1]):
            end.close()

    return join


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy one direction until its end, and pass the end on; the other direction goes on by itself.

    A sink that takes no more is no reason to end the connection: a server that refuses a long request
    has already sent its answer the other way.
    """
    with contextlib.suppress(OSError):
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
    with contextlib.suppress(OSError):
        sink.write_eof()


if __name__ == "__main__":
    asyncio.run(serve({int(fd): (host, port) for fd, (host, port) in json.loads(sys.argv[1]).items()}))
