"""The examples of the collections feature: what is written, and what must be there afterwards."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from support.chroma import calls, samples
from support.chroma.outcomes import Outcome, expect
from support.chroma.types import Record, RecordChange, Write
from support.core.promises import PromiseBroken
from support.laws.invariants import same_records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.chroma.types import WriteKind
    from support.network.http import Response

_SAID: Final = {"topic": "newts", "place": "a pond"}
_NEWCOMER: Final = Record("newcomer", (0.5,) * samples.DIMENSION, None, _SAID)


@dataclass(frozen=True)
class Batch:
    """The records of one call, and the reply to it."""

    records: Sequence[Record]
    response: Response


def add_large_batch(database: Database, collection: Collection, count: int, dimension: int) -> Batch:
    """Add so many records of so many dimensions in one call, past the client, which would split it."""
    draw = random.Random(count)  # noqa: S311 - the same numbers every time, no secret
    # Parts of 512 are exact in float32.
    records = [
        Record(f"long-{number}", tuple(draw.randrange(-512, 512) / 512 for _ in range(dimension)))
        for number in range(count)
    ]
    body = {"ids": [record.id for record in records], "embeddings": [record.vector for record in records]}
    return Batch(records, database.ask_of(collection, "POST", "/add", body))


def assert_taken_whole(collection: Collection, batch: Batch) -> None:
    """Assert that a batch was accepted and is there."""
    expect(Outcome.ACCEPTED, batch.response)
    same_records(batch.records, calls.contents(collection))


def count_while_adding(collection: Collection, count: int) -> list[int]:
    """Add records one by one and return the collection's count before the first and after each."""
    counts = [collection.count()]
    for record in samples.records(count):
        calls.add(collection, [record])
        counts.append(collection.count())
    return counts


def assert_counted(counts: Sequence[int]) -> None:
    """Assert that the counts are those of a collection that grew by one record at a time from none."""
    promised = list(range(len(counts)))
    if counts != promised:
        raise PromiseBroken(f"the count after each addition, {promised}", counts)


def add_under_taken_ids(collection: Collection) -> None:
    """Add other records under all ids that the collection has."""
    held = calls.contents(collection)
    others = samples.records(2 * len(held))[len(held) :]
    calls.add(collection, [replace(other, id=record.id) for record, other in zip(held, others, strict=True)])


def change_one(collection: Collection, kind: WriteKind) -> list[Record]:
    """Update or upsert a record that is there, in part, and one that is not; return what was there before."""
    held = calls.contents(collection)
    # An update may leave the vector as it is, an upsert may not.
    vector = _NEWCOMER.vector if kind == "upsert" else None
    changes = (
        RecordChange(held[0].id, vector, metadata=_SAID),
        RecordChange(_NEWCOMER.id, vector, metadata=_SAID),
    )
    calls.write(collection, Write(kind, changes))
    return held


def assert_one_is_updated(collection: Collection, before: Sequence[Record]) -> None:
    """Assert what an update by `change_one` leaves: vector and document stay, the metadata is merged."""
    same_records([_updated(before[0]), *before[1:]], calls.contents(collection))


def assert_one_is_upserted(collection: Collection, before: Sequence[Record]) -> None:
    """Assert what an upsert by `change_one` leaves: the record has its new vector, and the unknown one is there."""
    changed = replace(_updated(before[0]), vector=_NEWCOMER.vector)
    same_records([changed, *before[1:], _NEWCOMER], calls.contents(collection))


def assert_collections(database: Database, *names: str) -> None:
    """Assert that a database has the collections of these names and no others."""
    seen, promised = set(database.names()), set(names)
    assert seen == promised, (
        f"promised: the collections {sorted(promised)}\n"
        f"seen:     missing: {sorted(promised - seen)}, still there or never made: {sorted(seen - promised)}"
    )


def assert_same_collection(given: Collection, there: Collection) -> None:
    """Assert that two answers describe one collection: by its id, its name and its metadata."""
    seen, promised = [(one.id, one.name, one.metadata) for one in (given, there)]
    if seen != promised:
        raise PromiseBroken(promised, seen)


def _updated(record: Record) -> Record:
    return replace(record, metadata={**(record.metadata or {}), **_SAID})
