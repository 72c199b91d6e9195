"""What Chroma makes of its log: which records there are, and which entry gave each its vector.

As `local_hnsw.rs` and `sqlite_metadata.rs` take it over (1.5.9): to add an id that is there changes nothing, to update one
that is not there neither.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Iterable


class Operation(IntEnum):
    """What an entry of the log does with its record."""

    ADD = 0
    UPDATE = 1
    UPSERT = 2
    DELETE = 3


class Entry(NamedTuple):
    """One entry of the log; `vector` is whether it brings one."""

    seq_id: int
    operation: Operation
    id: str
    vector: bool


def vectors(log: Iterable[Entry], before: Iterable[str] = ()) -> dict[str, int]:
    """Return for each record the entry that gave it its vector, 0 for one that an index has had `before` and the log leaves."""
    held = dict.fromkeys(before, 0)
    for entry in log:
        if entry.operation is Operation.DELETE:
            held.pop(entry.id, None)
        elif entry.vector:
            if entry.operation is Operation.ADD:
                held.setdefault(entry.id, entry.seq_id)
            elif entry.operation is Operation.UPSERT or entry.id in held:
                held[entry.id] = entry.seq_id
    return held


def records(log: Iterable[Entry], before: Iterable[str]) -> set[str]:
    """Return the ids of a collection that has had some `before`."""
    held = set(before)
    for entry in log:
        if entry.operation is Operation.DELETE:
            held.discard(entry.id)
        elif entry.operation is not Operation.UPDATE:
            held.add(entry.id)
    return held


def surely_logged(log: Iterable[Entry], had: Container[str]) -> set[str]:
    """Return whose vectors a log surely holds whose beginning was purged, where an index `had` some records.

    What it adds to those may have been there before, and then its own vector counts for nothing.
    """
    return set(vectors(entry for entry in log if entry.operation is not Operation.ADD or entry.id not in had))
