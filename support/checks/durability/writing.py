"""Writers that add records to a collection, and know which of them were acknowledged."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from support.chroma import calls, samples
from support.core.wait import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.chroma.client import Collection
    from support.chroma.types import Record
    from support.core.wait import Deadlines

# Acknowledged records after which the writers are in full swing: a second's worth.
_IN_FULL_SWING: Final = 100


@dataclass
class WriteLog:
    """What writers learned: the records whose writing was acknowledged, and those whose writing ended in an error."""

    acknowledged: list[Record] = field(default_factory=list)
    indeterminate: list[Record] = field(default_factory=list)


@dataclass(frozen=True)
class Load:
    """How records are written: by so many writers, so many with each request, at most so many in all.

    A collection that began with 200 records stays below 1,000 with the usual 700: Chroma writes its index to disk with
    every 1,000th, and a kill in that moment can tear it (docs/persistence.md). One writer that stays below is safe.
    """

    writers: int = 1
    batch: int = 1
    records: int = 700
    dimension: int = samples.DIMENSION


USUAL: Final = Load()


@contextmanager
def writing(
    collection: Collection, deadlines: Deadlines, load: Load = USUAL, log: WriteLog | None = None
) -> Iterator[WriteLog]:
    """Add records until an error comes to each writer or the context ends; lend the log once they are in full swing.

    A log is continued; without one, the collection holds the first of the deterministic records, which count as
    acknowledged.
    """
    known = log or WriteLog(samples.records(len(calls.contents(collection)), load.dimension))
    begin, before = len(known.acknowledged) + len(known.indeterminate), len(known.acknowledged)
    batches = iter(_batches(samples.records(begin + load.records, load.dimension)[begin:], load.batch))
    stop, lock = threading.Event(), threading.Lock()

    def write() -> None:
        while not stop.is_set():
            with lock:
                batch = next(batches, None)
            if batch is None:
                return
            try:
                calls.add(collection, batch)
            except Exception:  # noqa: BLE001 - whatever the client makes of a release that is down
                with lock:
                    known.indeterminate += batch
                return
            with lock:
                known.acknowledged += batch

    threads = [threading.Thread(target=write, name=f"writer {n}", daemon=True) for n in range(load.writers)]
    for thread in threads:
        thread.start()
    try:
        wait_for(
            lambda: len(known.acknowledged) >= before + _IN_FULL_SWING,
            deadlines.live,
            lambda: f"the writers have only {len(known.acknowledged) - before} records acknowledged",
        )
        yield known
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _batches(records: list[Record], size: int) -> Iterator[list[Record]]:
    return (records[first : first + size] for first in range(0, len(records), size))
