"""Whether the data on a volume is whole: the database, each persisted index, and each record in an index or in the log."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.persistence import replay
from support.persistence.hnsw import Index, TornError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from collections.abc import Collection as Collection_
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.persistence.database import Collection, Database
    from support.persistence.replay import Entry


@dataclass(frozen=True)
class Examined:
    """What was found of one collection.

    `torn` says in a phrase why its index cannot be used, "" where it can or where there is none yet. `records` are the ids
    of the records that were acknowledged; of those in `unlogged` the log surely has no vector, or may have an older one,
    and of those in `unwritten` it has none at all. `log` is all that the log has of it, of which the index has not taken
    over the last `behind` entries.
    """

    collection: Collection
    records: frozenset[str]
    unlogged: frozenset[str]
    unwritten: frozenset[str]
    torn: str
    log: Sequence[Entry]
    behind: int


def examine(
    database: Database, lend: Callable[[str], AbstractContextManager[Path]], *, keeps_log: bool
) -> Iterator[Examined]:
    """Look at each collection; the files must not change meanwhile.

    `lend` gives the directory of an index by the name of its segment, which need not be there. `keeps_log` is whether the
    log holds each entry since the collection was made, or what stands for it.
    """
    log = database.log()
    for collection in database.collections():
        entries = log.get(collection.id, ())
        reached = database.reached(collection.vector_segment)
        records = replay.records(
            _after(entries, database.reached(collection.metadata_segment)), database.ids(collection)
        )
        since = _after(entries, reached)
        with lend(collection.vector_segment) as directory:
            had, torn = _looked_into(directory, collection, records, since, reached)
        logged = replay.vectors(entries).keys()
        sure = logged if keeps_log else replay.surely_logged(entries, had)
        yield Examined(
            collection,
            frozenset(records),
            frozenset(records - sure),
            frozenset(records - logged),
            torn,
            entries,
            len(since),
        )


def _looked_into(
    directory: Path, collection: Collection, records: set[str], since: Sequence[Entry], reached: int
) -> tuple[Collection_[str], str]:
    """Return what an index holds that has taken over the log up to an entry, and why it cannot be used ("" where it can be).

    There may be none yet. Where it cannot be read, it may hold any record.
    """
    had: Collection_[str] = records
    try:
        index = _persisted(directory, reached)
        if index is None:
            return (), ""
        with suppress(TornError):
            had = index.labels
        index.check()
        return had, _foreign(collection, records, index, since)
    except TornError as error:
        return had, str(error)


def _persisted(directory: Path, reached: int) -> Index | None:
    """Return an index, None where there is none yet: Chroma makes the files with the first vector, and fills them with the thousandth."""
    if not directory.exists() and not reached:
        return None
    index = Index.read(directory)
    return index if reached or index.header.elements or index.lists_ids else None


def _foreign(collection: Collection, records: set[str], index: Index, since: Iterable[Entry]) -> str:
    """Say that an index that fits together is not that of the collection's records, "" where it is."""
    dimension = index.header.dimension
    if collection.dimension is not None and index.header.elements and dimension != collection.dimension:
        return f"its vectors have {dimension} dimensions, and those of the collection {collection.dimension}"
    found = replay.vectors(since, index.labels).keys()
    if missing := records - found:
        return f"{len(missing)} of {len(records)} records are neither in it nor in the log after it"
    if more := found - records:
        return f"it has {len(more)} records that the database does not have"
    return ""


def _after(log: Iterable[Entry], seq_id: int) -> list[Entry]:
    return [entry for entry in log if entry.seq_id > seq_id]
