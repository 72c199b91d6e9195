"""When a release lets its users in, and when it takes no writes."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.core.component import READY
from support.persistence.hnsw import IDS
from support.persistence.keeper import Awaited, Keeper, Room, agent, handed, low_water, serve, taken
from support.persistence.start import look
from tests.unit.persistence.server import serving
from tests.unit.persistence.volume import Volume

MIB = 1024 * 1024


@dataclass
class Chroma:
    """Stands for a server: `statuses` by the end of a path; a question about what is in `held` waits until that is set."""

    statuses: dict[str, int] = field(default_factory=dict)
    held: dict[str, threading.Event] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def answering(chroma: Chroma) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            chroma.asked.append(self.path)
            for name, event in chroma.held.items():
                if name in self.path:
                    event.wait()
            status = next((code for end, code in chroma.statuses.items() if self.path.endswith(end)), 200)
            self.send_response_only(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def awaited(name: str, *, rebuilt: bool = False) -> Awaited:
    return Awaited("tenant", "database", name, name, 3, 2000, rebuilt)


@contextmanager
def asked(keeper: Keeper) -> Iterator[Callable[[str], int]]:
    """Lend what asks a keeper at a path, and returns the status of its answer."""
    server = serve(keeper, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def ask(path: str) -> int:
        with closing(HTTPConnection("127.0.0.1", server.server_port)) as connection:
            connection.request("GET", path)
            return connection.getresponse().status

    try:
        yield ask
    finally:
        server.shutdown()
        server.server_close()


def test_users_are_let_in_only_once_the_index_that_is_built_anew_answers() -> None:
    chroma, said = Chroma(held={"slow": threading.Event()}), list[dict[str, Any]]()
    with answering(chroma) as port:
        keeper = Keeper(port, [awaited("slow", rebuilt=True), awaited("quick")], said.append)
        waiting = threading.Thread(target=keeper.await_all, daemon=True)
        waiting.start()
        with asked(keeper) as ask:
            while not any("slow" in path for path in chroma.asked):
                threading.Event().wait(0.01)
            assert ask(READY) == 503, "one collection does not answer yet"
            assert any("quick" in path for path in chroma.asked), "the others are asked first"
            chroma.held["slow"].set()
            waiting.join()
            assert ask(READY) == 200
    assert said[0] == {"rebuilding": 1, "records": 2000, "built": 0}
    assert said[-1]["answering"] == 2


def test_a_question_goes_to_the_index_only_where_it_is_built_anew() -> None:
    chroma = Chroma()
    with answering(chroma) as port:
        Keeper(port, [awaited("torn", rebuilt=True), awaited("sound")], print).await_all()
    ends = {path.split("/")[-2]: path.split("/")[-1] for path in chroma.asked if "collections" in path}
    assert ends == {"torn": "query", "sound": "count"}, "an index that nobody asks for takes no memory"


def test_a_collection_that_answers_with_an_error_keeps_nobody_from_the_others() -> None:
    said = list[dict[str, Any]]()
    with answering(Chroma(statuses={"bad/query": 500})) as port:
        keeper = Keeper(port, [awaited("bad", rebuilt=True), awaited("good")], said.append)
        keeper.await_all()
        assert keeper.ready()
    (silent,) = [one for one in said if "silent" in one]
    assert (silent["silent"], silent["status"]) == ("bad", 500)


def test_names_of_tenants_and_databases_may_have_any_sign() -> None:
    chroma = Chroma()
    with answering(chroma) as port:
        Keeper(port, [Awaited("Käthe & co", "a/b c?", "id", "notes", 3, 1, rebuilt=False)], print).await_all()
    assert (
        chroma.asked[-1]
        == "/api/v2/tenants/K%C3%A4the%20%26%20co/databases/a%2Fb%20c%3F/collections/id/count"
    )


def test_nobody_is_let_in_where_the_heartbeat_does_not_come() -> None:
    chroma = Chroma()
    with answering(chroma) as port:
        keeper = Keeper(port, [], print)
        keeper.await_all()
        chroma.statuses["/heartbeat"] = 500
        with asked(keeper) as ask:
            assert ask(READY) == 503


def test_chroma_builds_an_index_before_users_are_let_in(volume: Volume) -> None:
    look(str(volume.data))
    volume.tear("by-l2")
    found = look(str(volume.data))
    assert found
    assert {one.name for one in found if one.rebuilt} == {"by-l2"}
    with serving(volume.data) as server:
        assert server.http.base_url.port
        keeper = Keeper(server.http.base_url.port, taken(handed(found)), print)
        keeper.await_all()
        assert keeper.ready()
        assert (volume.index("by-l2") / IDS).exists(), "its index is on disk again"
    volume.assert_kept()


@pytest.mark.parametrize(
    ("capacity", "mark"),
    [(64 * MIB, 16 * MIB), (1024 * MIB, 64 * MIB), (10 * 1024 * MIB, 512 * MIB), (10**12, 1024 * MIB)],
)
def test_the_low_water_mark_fits_the_volume(capacity: int, mark: int) -> None:
    assert low_water(capacity) == mark


@pytest.mark.parametrize(("free", "word"), [(1, b"down\n"), (3, b"up\n")])
def test_writes_have_room_down_to_the_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, word: bytes
) -> None:
    below = tmp_path / "segment"
    below.mkdir()
    (below / "held").write_bytes(bytes(6 * MIB))
    values = list(os.statvfs(tmp_path))[:10]
    # A file system much larger than what is free and what is held: parts of it are its own, or somebody else's.
    values[1], values[2], values[4] = MIB, 10_000, 100
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(values))
    server = agent(Room(tmp_path), 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def said() -> bytes:
        with socket.create_connection(("127.0.0.1", server.server_address[1])) as connection:
            return connection.makefile("rb").read()

    try:
        assert said() == b"up\n"
        values[4] = free
        assert said() == word
    finally:
        server.shutdown()
        server.server_close()
