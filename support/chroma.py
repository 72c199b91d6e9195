"""Talks to Chroma as its users do, through Chroma's own Python client; nothing else imports chromadb."""

from __future__ import annotations

import random
import uuid
from array import array
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, Self, cast

import httpx

from support import http
from support.corpus import embed
from support.model import EVERYTHING, Change, Filters, Metric, Record, Vector, Write, float32
from support.outcomes import Outcome, expect, outcome
from support.versions import CONFIGURATION, DATABASE_DELETION, ID_REUSE
from support.wait import kept, wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from chromadb.api.client import Client as Client  # noqa: PLC0414 - others name it, too
    from chromadb.api.fastapi import FastAPI
    from chromadb.api.models.Collection import Collection as Collection  # noqa: PLC0414
    from chromadb.api.types import EmbeddingFunction
    from pydantic import SecretStr

    from support.http import Reply
    from support.ways import Way

TOKEN_HEADER: Final = "X-Chroma-Token"  # noqa: S105 - a name
TENANT: Final = "default_tenant"
DEFAULT_DATABASE: Final = "default_database"

Body = dict[str, Any] | bytes | None
_DATABASES: Final = f"/api/v2/tenants/{TENANT}/databases"

# The way of the client that is being opened.
_way: ContextVar[Way] = ContextVar("way")

# Records of the deterministic kind: large enough to be told apart by every column.
DIMENSION: Final = 16
_COLUMNS: Final = ("ids", "embeddings", "documents", "metadatas")
_TOPICS: Final = ("birds", "ferns", "lichens", "moths", "rivers")


def client(way: Way, token: SecretStr, database: str = DEFAULT_DATABASE) -> Client:
    """Open the client that users open, through a way in; `close()` it at the end.

    Raises `ValueError` or a `ChromaError` where the release does not let it in.
    """
    # Its import takes a second, and most processes open no client.
    import chromadb  # noqa: PLC0415
    from chromadb.api import fastapi  # noqa: PLC0415
    from chromadb.config import Settings  # noqa: PLC0415

    # Closing a client leaves its connections open, and so does one that is not let in (chromadb 1.5.9).
    fastapi.FastAPI.stop = _stop  # type: ignore[method-assign,assignment]
    fastapi.httpx = SimpleNamespace(Client=_session)  # type: ignore[assignment,attr-defined]
    taken = _way.set(way)
    try:
        opened = chromadb.HttpClient(
            host=way.host,
            port=way.port,
            ssl=way.tls,
            headers={TOKEN_HEADER: token.get_secret_value()},
            settings=Settings(anonymized_telemetry=False),
            database=database,
        )
    finally:
        _way.reset(taken)
    return cast("Client", opened)


def _session(**given: Any) -> httpx.Client:
    """Make the connections of a client, which take its way as those of every other caller do.

    Left to itself it would go through the environment's proxies, trust other authorities than the machine does, and wait
    for ever; it has a setting for none of these (chromadb 1.5.9).
    """
    return httpx.Client(**{**given, "verify": _way.get().verify, "trust_env": False, "timeout": kept().call})


def _stop(server: FastAPI) -> None:
    server._session.close()  # noqa: SLF001


@cache
def embedding_function() -> EmbeddingFunction[Any]:
    """Return the suite's embedding of texts (support/corpus.py) as Chroma's client wants it."""
    from chromadb.api.types import EmbeddingFunction  # noqa: PLC0415 - see `client`

    class Hashing(EmbeddingFunction[Any]):
        def __init__(self) -> None:
            """Take nothing; the inherited one warns."""

        def __call__(self, input: Any) -> Any:  # noqa: A002 - the client's word
            return [list(embed(text)) for text in input]

        @staticmethod
        def name() -> str:
            return "conformance-hashing"

        @staticmethod
        def build_from_config(config: dict[str, Any]) -> Hashing:
            del config
            return Hashing()

        def get_config(self) -> dict[str, Any]:
            return {}

    return Hashing()


def records(count: int, dimension: int = DIMENSION) -> list[Record]:
    """Make the first so many of an endless list of records that is always the same."""
    return [_record(number, dimension) for number in range(1, count + 1)]


def _record(number: int, dimension: int) -> Record:
    draw = random.Random(number)  # noqa: S311 - the same numbers every time, no secret
    topic = _TOPICS[number % len(_TOPICS)]
    return Record(
        id=f"note-{number:05}",
        vector=tuple(float32(draw.uniform(-1, 1)) for _ in range(dimension)),
        document=f"Note {number} is about {topic}.",
        metadata={"number": number, "weight": number / 4, "topic": topic, "even": number % 2 == 0},
    )


def add(collection: Collection, records: Sequence[Record]) -> None:
    """Add records; none is fine."""
    if records:
        collection.add(ids=[record.id for record in records], **columns(records))


def write(collection: Collection, write: Write) -> None:
    """Make the one call that a write stands for."""
    calls = {"add": collection.add, "update": collection.update, "upsert": collection.upsert}
    ids = [change.id for change in write.changes]
    if write.kind == "delete":
        collection.delete(ids=ids)
    else:
        calls[write.kind](ids=ids, **columns(write.changes))


def contents(collection: Collection, filters: Filters = EVERYTHING) -> list[Record]:
    """Read the records that the filters let through."""
    columns: Any = collection.get(**_conditions(filters), include=["embeddings", "documents", "metadatas"])
    return _rows(columns)


def by_id(collection: Collection) -> dict[str, tuple[Vector, str | None, Any]]:
    """Read each record's vector, document and metadata, by its id: for many records cheaper than `contents`."""
    got: Any = collection.get(include=["embeddings", "documents", "metadatas"])
    return {
        name: (tuple(vector.tolist()), document, metadata)
        for name, vector, document, metadata in zip(*(got[name] for name in _COLUMNS), strict=True)
    }


def delete(collection: Collection, filters: Filters) -> None:
    """Take away the records that the filters let through."""
    collection.delete(**_conditions(filters))


def clear(collection: Collection) -> None:
    """Take away all records."""
    ids = collection.get(include=[])["ids"]
    if ids:
        collection.delete(ids=ids)


@dataclass(frozen=True)
class Hit:
    """One record of an answer, with the distance that the answer gives it."""

    record: Record
    distance: float


def ask(
    collection: Collection, vectors: Sequence[Vector], count: int, filters: Filters = EVERYTHING
) -> list[list[Hit]]:
    """Ask in one call for so many records nearest to each vector; an answer for each, both in order."""
    questions: list[Any] = [list(vector) for vector in vectors]
    answer: Any = collection.query(
        query_embeddings=questions,
        n_results=count,
        **_conditions(filters),
        include=["embeddings", "documents", "metadatas", "distances"],
    )
    return [
        [
            Hit(record, distance)
            for record, distance in zip(
                _rows({column: answer[column][row] for column in _COLUMNS}),
                answer["distances"][row],
                strict=True,
            )
        ]
        for row in range(len(vectors))
    ]


class Database:
    """A scenario's own database: its collections have the names that the scenario gives them, and go with it.

    `capabilities` are those of the release. One that can delete no database has a single one for all scenarios, which
    stays, and is empty between them.
    """

    def __init__(self, way: Way, token: SecretStr, run_id: str, capabilities: frozenset[str]) -> None:
        self._deletes = DATABASE_DELETION in capabilities
        self._configures = CONFIGURATION in capabilities
        self.reuses_ids = ID_REUSE in capabilities
        self.name = f"conformance-{run_id}-{uuid.uuid4().hex[:8]}" if self._deletes else "conformance"
        self._way = way
        self._token = token

    def __enter__(self) -> Self:
        if self._deletes or not self._is_there():
            self._insist("POST", _DATABASES, {"name": self.name})
        self.client = client(self._way, self._token, self.name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Where the release is gone, its databases went with it or stay with its data.
        if self._is_there():
            self._remove()
        self.client.close()

    def create(
        self,
        name: str,
        metric: Metric = Metric.L2,
        records: Sequence[Record] = (),
        metadata: dict[str, Any] | None = None,
    ) -> Collection:
        """Create a collection that holds these records."""
        # Older versions are told the metric in the metadata, and know no configuration that this client would send.
        measured: dict[str, Any] = (
            {"metadata": metadata, "configuration": {"hnsw": {"space": metric.value}}}
            if self._configures
            else {"metadata": {**(metadata or {}), "hnsw:space": metric.value}}
        )
        collection = self.client.create_collection(name, embedding_function=None, **measured)
        add(collection, records)
        return collection

    def open(self, name: str) -> Collection:
        """Open a collection by its name; raises `NotFoundError` where there is none."""
        return self.client.get_collection(name, embedding_function=None)

    def delete(self, name: str) -> None:
        """Delete a collection."""
        self.client.delete_collection(name)

    def names(self) -> list[str]:
        """List the names of the database's collections, in alphabetical order."""
        return sorted(collection.name for collection in self.client.list_collections())

    def ask(self, method: str, tail: str, body: Body = None) -> Reply:
        """Ask past the client, which refuses much by itself; `tail` is the path below the database's collections."""
        return self._ask(method, f"{_DATABASES}/{self.name}/collections{tail}", body)

    def _ask(self, method: str, path: str, body: Body = None) -> Reply:
        headers = [(TOKEN_HEADER, self._token.get_secret_value())]
        return http.ask(self._way, method, path, headers, body)

    def _is_there(self) -> bool:
        try:
            return outcome(self._ask("GET", f"{_DATABASES}/{self.name}")) is Outcome.ACCEPTED
        except http.Unanswered:
            return False

    def _remove(self) -> None:
        # Deleting the database alone leaves rows of its collections behind (measured on 1.5.9).
        for name in self.names():
            self._insist("DELETE", f"{_DATABASES}/{self.name}/collections/{name}")
        if self._deletes:
            self._insist("DELETE", f"{_DATABASES}/{self.name}")

    def _insist(self, method: str, path: str, body: Body = None) -> None:
        # While somebody else writes, Chroma may answer that the database is locked (500, measured on 1.5.9).
        replies: list[Reply] = []

        def is_done() -> bool:
            replies.append(self._ask(method, path, body))
            return outcome(replies[-1]) is not Outcome.FAILED

        wait_for(is_done, kept().locked, lambda: f"not done: {replies[-1]}")
        expect(Outcome.ACCEPTED, replies[-1])


def columns(rows: Sequence[Record | Change]) -> dict[str, Any]:
    """Turn rows into the client's columns; a column in which nothing is said is left out."""
    columns: dict[str, list[Any]] = {
        "embeddings": [row.vector and list(row.vector) for row in rows],
        "documents": [row.document for row in rows],
        "metadatas": [row.metadata and dict(row.metadata) for row in rows],
    }
    return {name: column for name, column in columns.items() if any(value is not None for value in column)}


def _conditions(filters: Filters) -> dict[str, Any]:
    return {"where": filters.metadata, "where_document": filters.document}


def _rows(columns: Mapping[str, Any]) -> list[Record]:
    """Turn the client's columns into rows."""
    return [
        # An array of "f" rounds each value back to the float32 that it was.
        Record(name, tuple(array("f", vector)), document, metadata)
        for name, vector, document, metadata in zip(*(columns[name] for name in _COLUMNS), strict=True)
    ]
