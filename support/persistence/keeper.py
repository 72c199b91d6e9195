"""Stands beside Chroma in its container: says when every collection answers, and whether its volume has room.

It listens on the pod's loopback, where the gateway asks it: for the kubelet at `/ready`, and whether there is room at a port
of its own, in the words of HAProxy's agent checks. What it does is told on standard output, in lines of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from support.core.component import HEARTBEAT, READY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

# Where the gateway asks (manifests/gateway/haproxy.cfg).
PORT: Final = 8002
AGENT: Final = 8003

_MIB: Final = 1024 * 1024
# Seconds between two looks at what is on its way.
_PAUSE: Final = 0.05
# Seconds that an answer may take, and as many more for each record whose index is built: ten times what was measured
# (docs/persistence.md). How often a collection is asked that does not answer well.
_PATIENCE: Final = 10.0
_RECORD: Final = 0.05
_TIMES: Final = 3


@dataclass(frozen=True)
class Awaited:
    """A collection that has to answer before users are let in; `rebuilt`: Chroma builds its index anew at the first question."""

    tenant: str
    database: str
    id: str
    name: str
    dimension: int | None
    records: int
    rebuilt: bool

    @property
    def path(self) -> str:
        """The path below which Chroma knows it."""
        tenant, database = (quote(name, safe="") for name in (self.tenant, self.database))
        return f"/api/v2/tenants/{tenant}/databases/{database}/collections/{self.id}"


def low_water(capacity: int) -> int:
    """Return how many bytes have to be free for writes: a twentieth of what fits, within 64 MiB and 1 GiB; of little a quarter.

    A body is 40 MiB at most, and Chroma writes it to its log, its database and its index.
    """
    return min(max(capacity // 20, 64 * _MIB), 1024 * _MIB, capacity // 4)


class Room:
    """The room that a volume has: what fits there is what it holds and what is free.

    The size of its file system would not do: parts of that are its own, and it may be everybody's.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._capacity = _held(data) + self._free()

    def is_left(self) -> bool:
        """Whether there is enough for writes. What the volume holds is counted only where little is free."""
        free = self._free()
        self._capacity = max(self._capacity, free)
        if free < low_water(self._capacity):
            self._capacity = _held(self._data) + free
        return free >= low_water(self._capacity)

    def _free(self) -> int:
        of = os.statvfs(self._data)
        return of.f_bavail * of.f_frsize


def _held(directory: str | Path) -> int:
    """Return how many bytes of a disk the files below a directory take; what goes meanwhile takes none."""
    taken = 0
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            with suppress(OSError):
                taken += (
                    _held(entry.path)
                    if entry.is_dir(follow_symlinks=False)
                    else entry.stat(follow_symlinks=False).st_blocks * 512
                )
    return taken


class Keeper:
    """Asks Chroma at a port of the loopback until all that is `awaited` has answered; `say` is given lines about it."""

    def __init__(self, port: int, awaited: Sequence[Awaited], say: Callable[[dict[str, Any]], None]) -> None:
        self._port = port
        # What is to be built comes last, the smallest first: of as many as can be it is soon known that they answer.
        self._awaited = sorted(awaited, key=lambda one: (one.rebuilt, one.records))
        self._say = say
        self._all = threading.Event()

    def beats(self) -> bool:
        """Whether Chroma's heartbeat comes."""
        return self._ask("GET", HEARTBEAT) == 200

    def ready(self) -> bool:
        """Whether every collection has answered, and Chroma's heartbeat comes."""
        return self._all.is_set() and self.beats()

    def await_all(self) -> None:
        """Return once every collection has answered; how far that is is told whenever an index has been built."""
        began = time.monotonic()
        while not self.beats():
            self._all.wait(_PAUSE)
        rebuilt = [one for one in self._awaited if one.rebuilt]
        left = len(rebuilt)
        for one in self._awaited:
            if one.rebuilt:
                records, built = (sum(each.records for each in some) for some in (rebuilt, rebuilt[:-left]))
                self._say({"rebuilding": left, "records": records, "built": built})
                left -= 1
            self._await(one)
        self._all.set()
        self._say({"answering": len(self._awaited), "seconds": round(time.monotonic() - began, 3)})

    def _await(self, one: Awaited) -> None:
        """Ask a collection until it answers, or says so often that it cannot: one does not keep users from all others."""
        question: dict[str, Any] | None = None
        path, patience = f"{one.path}/count", _PATIENCE
        if one.rebuilt and one.dimension:
            path, patience = f"{one.path}/query", _PATIENCE + one.records * _RECORD
            question = {"query_embeddings": [[1.0] * one.dimension], "n_results": 1, "include": []}
        for _ in range(_TIMES):
            status = self._ask("POST" if question else "GET", path, question, patience)
            if 200 <= status < 300 or status == 404:
                return
            self._all.wait(_PAUSE)
        self._say(
            {
                "silent": one.name,
                "id": one.id,
                "tenant": one.tenant,
                "database": one.database,
                "status": status,
            }
        )

    def _ask(
        self, method: str, path: str, question: dict[str, Any] | None = None, patience: float = _PATIENCE
    ) -> int:
        """Return the status of an answer, 0 where none comes within `patience` (seconds)."""
        body = None if question is None else json.dumps(question)
        connection = HTTPConnection("127.0.0.1", self._port, timeout=patience)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            return 0
        else:
            return answer.status
        finally:
            connection.close()


def agent(room: Room, port: int = AGENT) -> ThreadingTCPServer:
    """Return a server that says "up" to whoever connects while there is room, and else "down".

    To HAProxy an agent that says nothing changes nothing: so a keeper that is merely slow keeps nobody from writing.
    """

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"up\n" if room.is_left() else b"down\n")

    class Server(ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing: who asked has gone."""

    return Server(("127.0.0.1", port), Handler)


def serve(keeper: Keeper, port: int = PORT) -> ThreadingHTTPServer:
    """Return a server that answers for a keeper, with a status and a word: what it knows is for the log alone."""

    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1  # an answer leaves at one go

        def do_GET(self) -> None:
            if self.path == READY:
                self._answer(*((200, "ready") if keeper.ready() else (503, "not every collection answers")))
            else:
                self._answer(404, f"there is {READY}")

        def _answer(self, status: int, word: str) -> None:
            self.send_response_only(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(word)))
            self.end_headers()
            self.wfile.write(word.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing: somebody asks every second."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing: who wants the status alone has gone with that."""

    return Server(("127.0.0.1", port), Handler)


def keep(data: Path, port: int, awaited: Sequence[Awaited]) -> None:
    """Answer for as long as Chroma lives, since its end is that of the container."""
    keeper = Keeper(port, awaited, say)
    server = serve(keeper)
    threading.Thread(target=agent(Room(data)).serve_forever, daemon=True).start()
    threading.Thread(target=keeper.await_all, daemon=True).start()
    server.serve_forever()


def handed(awaited: Sequence[Awaited]) -> str:
    """Return what the keeper is told of collections, as text; `taken` reads it."""
    return json.dumps([asdict(one) for one in awaited])


def taken(text: str) -> list[Awaited]:
    """Return the collections of which `handed` has told."""
    return [Awaited(**one) for one in json.loads(text)]


def say(line: dict[str, Any]) -> None:
    """Write a line of JSON to standard output."""
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()
