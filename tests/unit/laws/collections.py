"""Collections in memory: an honest one, and those that break a law each."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from support.chroma.types import Filters, Metric, Record, RecordChange, Write
from support.laws.oracle import Model, matches, nearest

Columns = dict[str, Any]


class Honest:
    """A collection in memory that speaks as chromadb's does."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.model = Model()

    def add(self, **columns: Any) -> None:
        self._write("add", columns)

    def update(self, **columns: Any) -> None:
        self._write("update", columns)

    def upsert(self, **columns: Any) -> None:
        self._write("upsert", columns)

    def delete(self, **said: Any) -> None:
        matching = self.matching(Filters(said.get("where"), said.get("where_document")))
        self._write("delete", {"ids": said.get("ids") or [record.id for record in matching]})

    def get(self, **said: Any) -> Columns:
        return self.columns(self.matching(Filters(said.get("where"), said.get("where_document"))))

    def query(self, **said: Any) -> Columns:
        matching = self.matching(Filters(said["where"], said["where_document"]))
        rows = [
            nearest(self.metric, tuple(vector), matching)[: said["n_results"]]
            for vector in said["query_embeddings"]
        ]
        columns = [self.columns([record for _, record in row]) for row in rows]
        answer = {name: [each[name] for each in columns] for name in self.columns([])}
        return {**answer, "distances": [[far for far, _ in row] for row in rows]}

    def columns(self, records: list[Record]) -> Columns:
        return {
            "ids": [record.id for record in records],
            "embeddings": [list(record.vector) for record in records],
            "documents": [record.document for record in records],
            "metadatas": [record.metadata and dict(record.metadata) for record in records],
        }

    def matching(self, filters: Filters) -> list[Record]:
        return [record for record in self.model.records.values() if matches(record, filters)]

    def _write(self, kind: Any, columns: Columns) -> None:
        nothing = [None] * len(columns["ids"])
        rows = zip(
            columns["ids"],
            *(columns.get(name, nothing) for name in ("embeddings", "documents", "metadatas")),
            strict=True,
        )
        changes = tuple(
            RecordChange(name, vector and tuple(vector), text, data) for name, vector, text, data in rows
        )
        self.model.write(Write(kind, changes))


class Swapped(Honest):
    """Answers have their first two records in each other's place."""

    def query(self, **said: Any) -> Columns:
        answer = super().query(**said)
        for rows in answer.values():
            for row in rows:
                row[:2] = reversed(row[:2])
        return answer


class Reversed(Honest):
    """Distances run the wrong way, records the right one."""

    def query(self, **said: Any) -> Columns:
        answer = super().query(**said)
        return {**answer, "distances": [row[::-1] for row in answer["distances"]]}


class Short(Honest):
    """Answers lack their last record."""

    def query(self, **said: Any) -> Columns:
        return {name: [row[:-1] for row in rows] for name, rows in super().query(**said).items()}


class Generous(Honest):
    """Answers hold one record too many."""

    def query(self, **said: Any) -> Columns:
        return super().query(**{**said, "n_results": said["n_results"] + 1})


class Repetitive(Honest):
    """Answers say their first record again in the place of the last."""

    def query(self, **said: Any) -> Columns:
        return {name: [row[:-1] + row[:1] for row in rows] for name, rows in super().query(**said).items()}


class Rooted(Honest):
    """Distances are not squared."""

    def query(self, **said: Any) -> Columns:
        answer = super().query(**said)
        return {**answer, "distances": [[math.sqrt(abs(far)) for far in row] for row in answer["distances"]]}


class Normalising(Honest):
    """Questions are normalised on their way."""

    def query(self, **said: Any) -> Columns:
        vectors = [
            [value / (math.hypot(*vector) or 1) for value in vector] for vector in said["query_embeddings"]
        ]
        return super().query(**{**said, "query_embeddings": vectors})


class Shifted(Honest):
    """Documents and metadata stand beside the wrong records."""

    def columns(self, records: list[Record]) -> Columns:
        columns = super().columns(records)
        for name in ("documents", "metadatas"):
            columns[name] = columns[name][1:] + columns[name][:1]
        return columns


class Blind(Honest):
    """Filters are not looked at."""

    def matching(self, filters: Filters) -> list[Record]:  # noqa: ARG002 - it is what this model overlooks
        return list(self.model.records.values())


class Keen(Honest):
    """Deletions through a filter take everything."""

    def delete(self, **said: Any) -> None:
        super().delete(ids=said.get("ids") or list(self.model.records))


class Stubborn(Honest):
    """Deletions are not done."""

    def delete(self, **_: Any) -> None:
        return


class Forgetful(Honest):
    """Metadata is not kept."""

    def add(self, **columns: Any) -> None:
        super().add(**{**columns, "metadatas": [None] * len(columns["ids"])})


class Lenient(Honest):
    """The last addition of an id wins."""

    def add(self, **columns: Any) -> None:
        super().upsert(**columns)


class Frozen(Honest):
    """Updates are not done."""

    def update(self, **_: Any) -> None:
        return


class Adding(Honest):
    """Upserts only add."""

    def upsert(self, **columns: Any) -> None:
        super().add(**columns)


class Replacing(Honest):
    """Metadata is replaced, not merged."""

    def upsert(self, **columns: Any) -> None:
        super().delete(ids=columns["ids"])
        super().upsert(**columns)


class Floating(Honest):
    """Integers come back as floats."""

    def columns(self, records: list[Record]) -> Columns:
        return super().columns([replace(record, metadata=floats(record)) for record in records])


def floats(record: Record) -> Any:
    return record.metadata and {
        key: float(value) if type(value) is int else value for key, value in record.metadata.items()
    }
