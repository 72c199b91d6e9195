"""The calls that a user makes on a collection."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from support.chroma.types import EVERYTHING, Filters, Record, RecordChange, Vector, Write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.chroma.client import Collection

_COLUMNS: Final = ("ids", "embeddings", "documents", "metadatas")


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


def columns(rows: Sequence[Record | RecordChange]) -> dict[str, Any]:
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
