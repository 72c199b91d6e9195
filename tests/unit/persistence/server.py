"""Chroma's own server on a directory, with writers, killed in the moment in which it writes an index."""

from __future__ import annotations

import random
import resource
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import numpy as np

from support.core.wait import wait_for
from tests.unit.persistence import aim as aiming

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT: Final = Path(__file__).parents[3]
# A torn index can make the server write without an end (docs/persistence.md).
_LARGEST_FILE: Final = 256 * 1024 * 1024
# As the image of a release does (manifests/images/run.py): the library alone, in a tenth of the time.
_RUN: Final = "import sys; from chromadb_rust_bindings import cli; cli(['chroma', *sys.argv[1:]])"
_DIMENSION: Final = 384
_BATCH: Final = 10
_COLLECTIONS: Final = "/api/v2/tenants/default_tenant/databases/default_database/collections"
# How soon after the header has changed the server is killed, in seconds: within the time that writing the index takes.
_AIM: Final = 0.004


@dataclass
class Server:
    """A server that runs, and the address at which it answers."""

    process: subprocess.Popen[bytes]
    http: httpx.Client

    def stop(self) -> None:
        """End it as Kubernetes does."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


@contextmanager
def serving(data: Path) -> Iterator[Server]:
    """Lend a server on a directory; at the end it is gone."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", _RUN, "run", "--path", data, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=data.parent,
    )
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as http:

            def answers() -> bool:
                with suppress(httpx.TransportError):
                    return http.get("/api/v2/heartbeat").is_success
                return False

            wait_for(answers, 60, lambda: f"the server has ended with {process.poll()}, or does not answer")
            yield Server(process, http)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@dataclass
class Writers:
    """Two writers of one collection; what the server has acknowledged, and all that was sent."""

    http: httpx.Client
    collection: str
    seed: int
    acknowledged: dict[str, list[float]] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, server: Server, seed: int) -> Writers:
        """Make a collection whose index is written after every hundred records."""
        configuration = {"hnsw": {"space": "l2", "sync_threshold": 100, "batch_size": 50}}
        made = server.http.post(_COLLECTIONS, json={"name": "killed", "configuration": configuration})
        return cls(server.http, made.raise_for_status().json()["id"], seed)

    def write(self, number: int) -> None:
        """Add records until the server is gone."""
        noise, batch = np.random.default_rng([self.seed, number]), 0
        with suppress(httpx.TransportError):
            while True:
                ids = [f"{number}-{batch}-{one}" for one in range(_BATCH)]
                vectors = noise.normal(size=(_BATCH, _DIMENSION)).astype(np.float32).tolist()
                with self._lock:
                    self.sent.update(ids)
                body: dict[str, Any] = {"ids": ids, "embeddings": vectors, "documents": ids}
                if self.http.post(f"{_COLLECTIONS}/{self.collection}/add", json=body).is_success:
                    with self._lock:
                        self.acknowledged.update(zip(ids, vectors, strict=True))
                batch += 1


def write_and_kill(server: Server, data: Path, seed: int, persists: int) -> Writers:
    """Let two writers write, and kill the server while it writes its index for the so-manieth time."""
    writers = Writers.of(server, seed)
    threads = [threading.Thread(target=writers.write, args=(number,)) for number in range(2)]
    moment = random.Random(seed).uniform(0, _AIM)
    aim = [
        sys.executable,
        "-m",
        aiming.__name__,
        str(data),
        str(server.process.pid),
        str(persists),
        str(moment),
    ]
    with subprocess.Popen(aim, cwd=_ROOT, stderr=subprocess.PIPE, text=True) as killer:
        for thread in threads:
            thread.start()
        _, missed = killer.communicate()
    server.process.wait()
    for thread in threads:
        thread.join()
    assert not killer.returncode, missed
    return writers


def lost(server: Server, writers: Writers, may_miss: int = 0) -> list[str]:
    """Say which promises a server breaks: each acknowledged record by its value, none that was not sent, queries.

    Of 20 questions for records by their own vectors `may_miss` may be answered with others: the index is approximate.
    """
    url = f"{_COLLECTIONS}/{writers.collection}"
    try:
        answer = server.http.post(f"{url}/get", json={"include": ["embeddings", "documents"]})
        if not answer.is_success:
            return [f"records cannot be read: {answer.text}"]
        found = dict(zip(answer.json()["ids"], answer.json()["embeddings"], strict=True))
        broken = [f"{one} was acknowledged and is gone" for one in writers.acknowledged.keys() - found.keys()]
        broken += [f"{one} was never sent" for one in found.keys() - writers.sent]
        broken += [
            f"{one} has another vector"
            for one, vector in writers.acknowledged.items()
            if one in found and not np.allclose(found[one], vector, atol=1e-6)
        ]
        missed = []
        for one in random.Random(writers.seed).sample(sorted(writers.acknowledged), 20):
            asked = {
                "query_embeddings": [writers.acknowledged[one]],
                "n_results": 1,
                "include": ["distances"],
            }
            answer = server.http.post(f"{url}/query", json=asked)
            if not answer.is_success:
                broken.append(f"a query for {one} fails: {answer.text[:200]}")
            elif answer.json()["ids"] != [[one]]:
                missed.append(f"a query does not find {one}: {answer.text[:200]}")
        broken += missed if len(missed) > may_miss else []
    except httpx.TransportError as error:
        return [f"the server is gone: {error}"]
    return broken
