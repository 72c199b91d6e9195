"""A directory of data as Chroma leaves it, and what its records are."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from support.persistence.database import DATABASE
from support.persistence.hnsw import IDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# How many components the vectors have, by the collection, which is named by its metric.
DIMENSIONS: Final = {"by-l2": 6, "by-cosine": 5, "by-ip": 3}
SYNC_THRESHOLD: Final = 100
_NEVER_PERSISTED: Final = "short"

Vectors = dict[str, list[float]]


@dataclass(frozen=True)
class Volume:
    """Data, and the vectors that were acknowledged, by collection and id."""

    data: Path
    written: Mapping[str, Vectors]

    def index(self, collection: str) -> Path:
        """Return the directory of a collection's index."""
        with closing(sqlite3.connect(self.data / DATABASE)) as database:
            row = database.execute(
                "SELECT s.id FROM segments s JOIN collections c ON c.id = s.collection"
                " WHERE c.name = ? AND s.scope = 'VECTOR'",
                (collection,),
            ).fetchone()
        return self.data / str(row[0])

    def tear(self, collection: str) -> None:
        """Leave of an index what a kill leaves in the moment in which the list of ids is written."""
        ids = self.index(collection) / IDS
        ids.write_bytes(ids.read_bytes()[:-30])

    def stored(self) -> dict[str, Vectors]:
        """Return what Chroma answers of each collection once it has loaded the data, after it has answered a query."""
        with chroma(self.data) as client:
            found = {}
            for collection in client.list_collections():
                records = collection.get(include=["embeddings"])
                vectors = np.asarray(records["embeddings"], dtype=np.float32)
                for one, vector in zip(records["ids"], vectors, strict=True):
                    nearest = collection.query(query_embeddings=[vector], n_results=3)["distances"]
                    assert nearest, f"{one} has no neighbours"
                found[collection.name] = {
                    one: vector.tolist() for one, vector in zip(records["ids"], vectors, strict=True)
                }
            return found

    def assert_kept(self) -> None:
        """Demand that Chroma has each vector that was acknowledged, and no other."""
        stored = self.stored()
        assert stored.keys() == self.written.keys()
        for name, vectors in self.written.items():
            assert stored[name].keys() == vectors.keys(), name
            for one, vector in vectors.items():
                np.testing.assert_allclose(
                    stored[name][one], vector, rtol=1e-5, atol=1e-6, err_msg=f"{name}: {one}"
                )


@contextmanager
def chroma(data: Path) -> Iterator[Any]:
    """Lend Chroma itself on a directory; at the end it has closed its files."""
    import chromadb  # noqa: PLC0415 - takes a second
    from chromadb.config import Settings  # noqa: PLC0415 - likewise

    client: Any = chromadb.PersistentClient(str(data), Settings(anonymized_telemetry=False))
    try:
        yield client
    finally:
        client.close()


def make(data: Path) -> Volume:
    """Write collections of each metric: added, updated, deleted; persisted twice, with some records after that."""
    written: dict[str, Vectors] = {}
    noise = np.random.default_rng(7)

    def vectors(count: int, dimension: int) -> list[list[float]]:
        drawn: list[list[float]] = noise.normal(scale=3, size=(count, dimension)).astype(np.float32).tolist()
        return drawn

    with chroma(data) as client:
        for name, dimension in DIMENSIONS.items():
            hnsw = {"space": name.removeprefix("by-"), "sync_threshold": SYNC_THRESHOLD, "batch_size": 50}
            collection = client.create_collection(name, configuration={"hnsw": hnsw}, embedding_function=None)
            held = written[name] = {}
            for begin in range(0, 240, 40):
                some = [f"{name}-{number}" for number in range(begin, begin + 40)]
                given = vectors(40, dimension)
                collection.add(ids=some, embeddings=given)
                held.update(zip(some, given, strict=True))
                if begin == 80:
                    gone = some[::4]
                    collection.delete(ids=gone)
                    for one in gone:
                        del held[one]
                    moved = list(held)[:20]
                    given = vectors(20, dimension)
                    collection.update(ids=moved, embeddings=given)
                    held.update(zip(moved, given, strict=True))
        collection = client.create_collection(_NEVER_PERSISTED, embedding_function=None)
        given = vectors(5, 4)
        written[_NEVER_PERSISTED] = {f"short-{number}": vector for number, vector in enumerate(given)}
        collection.add(ids=list(written[_NEVER_PERSISTED]), embeddings=given)
    return Volume(data, written)
