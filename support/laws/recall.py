"""Recall: which share of the truly nearest records an approximate index finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.chroma import calls, samples
from support.chroma.types import Metric
from support.core.promises import PromiseBroken
from support.laws.oracle import distance, nearest, tolerance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.chroma.calls import Hit
    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.chroma.types import Record, Vector


def recall(
    metric: Metric,
    records: Sequence[Record],
    vectors: Sequence[Vector],
    count: int,
    answers: Sequence[Sequence[Hit]],
) -> float:
    """Return the share of the `count` truly nearest records of each vector that the answers have.

    A record counts if it is as near as the farthest of the truly nearest: of records equally near any will do.
    """
    found = 0
    stored = {record.id: record.vector for record in records}
    for vector, hits in zip(vectors, answers, strict=True):
        farthest, record = nearest(metric, vector, records)[:count][-1]
        reach = farthest + tolerance(metric, vector, record.vector)
        ids = {hit.record.id for hit in hits}
        found += sum(distance(metric, vector, stored[name]) <= reach for name in ids)
    return found / (count * len(vectors))


def recall_of_stored(collection: Collection, records: Sequence[Record], questions: int, count: int) -> float:
    """Ask a collection that holds these records, measured by L2, for those nearest to some of their own vectors; return the recall.

    About so many `questions` are asked, spread over the records, each for `count` records, or all where there are fewer.
    """
    vectors = [record.vector for record in records[:: max(1, len(records) // questions)]]
    many = min(count, len(records))
    return recall(Metric.L2, records, vectors, many, calls.ask(collection, vectors, many))


def assert_recall(seen: float, promised: float) -> None:
    """Assert that a share of the truly nearest records was found."""
    if seen < promised:
        raise PromiseBroken(
            f"{promised:.0%} of the truly nearest records are found", f"a recall of {seen:.1%}"
        )


@dataclass(frozen=True)
class RecallSample:
    """A collection of the deterministic records that is asked many questions."""

    collection: Collection
    metric: Metric
    records: Sequence[Record]

    @classmethod
    def of(cls, database: Database, metric: Metric, count: int) -> RecallSample:
        """Make the collection."""
        records = samples.records(count)
        return cls(database.create("survey", metric, records), metric, records)

    def recall(self, count: int, vectors: int) -> float:
        """Ask for the `count` records nearest to each of so many vectors that are not stored; return the recall."""
        strangers = samples.records(len(self.records) + vectors)[len(self.records) :]
        questions = [record.vector for record in strangers]
        answers = calls.ask(self.collection, questions, count)
        return recall(self.metric, self.records, questions, count, answers)
