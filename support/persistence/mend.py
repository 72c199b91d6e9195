"""Mends what a kill has torn, while nothing else has the data open: a torn index is set aside, and Chroma builds it anew from its log.

Before that, the log is made whole: vectors that it does not hold are written back into it from the index. An index that is
sound gives them all, so that a release that has started once is safe from then on. From a torn one those are taken whose
place in it is known beyond doubt; where others are lost, nothing is touched unless that loss is accepted by the
collection's name.
"""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from support.persistence import replay
from support.persistence.check import Examined, examine
from support.persistence.database import Database, NoRoomError
from support.persistence.hnsw import HEADER, IDS, Index, TornError
from support.persistence.keeper import Awaited

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from support.persistence.database import Collection as Stored
    from support.persistence.replay import Entry

# What an index is behind its log before Chroma has to build it anew, in entries: it writes an index after each thousand.
_BEHIND: Final = 1_000

# Below it lie the indexes that were torn, until their collections are found sound.
SET_ASIDE: Final = "set-aside"

# The log of a collection is trimmed at a start once it has more than so many entries for each record, and so many more.
_LOG_FACTOR: Final = 2
_LOG_ROOM: Final = 1_000


class Outcome(StrEnum):
    """What became of a collection."""

    SOUND = "sound"
    REBUILT = "set aside, and rebuilt from the log"
    LOST = "not mended, since records would be lost"
    ACCEPTED = "set aside, and rebuilt without what is lost"


@dataclass(frozen=True)
class Mended:
    """What was found of a collection, and done about it; `lost` are ids of records whose vectors are nowhere."""

    examined: Examined
    outcome: Outcome
    put_back: int = 0
    lost: tuple[str, ...] = ()
    trimmed: int = 0

    @property
    def rebuilt(self) -> bool:
        """Whether Chroma has to build its index anew."""
        return self.outcome in {Outcome.REBUILT, Outcome.ACCEPTED}

    @property
    def awaited(self) -> Awaited:
        """What has to answer before users are let in; a start that was ended before may have left its index unbuilt."""
        of = self.examined
        return Awaited(
            of.collection.tenant,
            of.collection.database,
            of.collection.id,
            of.collection.name,
            of.collection.dimension,
            len(of.records),
            self.rebuilt or of.behind > _BEHIND,
        )

    def described(self) -> dict[str, Any]:
        """Return it as plain data, for a line of JSON; of many lost records the first hundred are named."""
        of = self.examined
        return {
            "tenant": of.collection.tenant,
            "database": of.collection.database,
            "collection": of.collection.name,
            "id": of.collection.id,
            "records": len(of.records),
            "outcome": self.outcome.name.lower(),
            **({"torn": of.torn} if of.torn else {}),
            **({"put_back": self.put_back} if self.put_back else {}),
            **({"trimmed": self.trimmed} if self.trimmed else {}),
            **({"lost": len(self.lost), "lost_ids": self.lost[:100]} if self.lost else {}),
        }


@dataclass(frozen=True)
class Volume:
    """What was found on a volume, collection by collection; `removed` are index directories that belonged to none."""

    collections: tuple[Mended, ...]
    removed: tuple[str, ...]

    @property
    def lost(self) -> tuple[Mended, ...]:
        """The collections that would lose records: Chroma must not start with them."""
        return tuple(one for one in self.collections if one.outcome is Outcome.LOST)


def mend(data: Path, accepted: Collection[str] = ()) -> Volume:
    """See to it that the data in a directory loses nothing from now on, and say what was found and done.

    `accepted` names collections whose lost records are given up: what is left of them, their documents and metadata, is
    handed out into a file, and they are deleted. Each collection is mended as a whole or not at all.
    Raises `DamagedError` where the database itself is damaged.
    """
    with Database.open(data, write=True) as database:
        kept = database.keeps_log
        found = examine(database, lambda segment: nullcontext(data / segment), keeps_log=kept)
        collections = tuple(
            _mended(data, database, one, given_up=one.collection.name in accepted) for one in found
        )
        if not kept:
            database.keep_log()
        database.forget_lists()
        return Volume(collections, tuple(_swept(data, database)))


def _swept(data: Path, database: Database) -> Iterator[str]:
    """Remove the index directories that belong to no collection any more, and yield their names.

    Chroma leaves them when a collection is deleted, and never uses such a name again (docs/persistence.md).
    """
    segments = database.segments()
    for path in sorted(data.iterdir()):
        if path.is_dir() and path.name not in segments and _is_index(path):
            shutil.rmtree(path)
            yield path.name


def _mended(data: Path, database: Database, one: Examined, *, given_up: bool) -> Mended:
    vectors = _vectors(data, database, one) if one.unlogged else {}
    lost = tuple(sorted(one.unwritten - vectors.keys()))
    if lost and not given_up:
        return Mended(one, Outcome.LOST, lost=lost)
    put_back = _put_back(database, one, vectors)
    if not one.torn and not lost:
        trimmed = _trim(database, one.collection, [*put_back, *one.log])
        database.commit()
        shutil.rmtree(data / SET_ASIDE / one.collection.vector_segment, ignore_errors=True)
        return Mended(one, Outcome.SOUND, len(put_back), trimmed=trimmed)
    if homeless := one.unwritten - {entry.id for entry in put_back} - {*lost}:
        return Mended(one, Outcome.LOST, lost=tuple(sorted({*lost, *homeless})))
    if lost:
        _hand_out(data, database, one, lost)
        database.delete(one.collection, lost)
    database.replay(one.collection)
    # First the log is safe on the disk, then the index goes: a kill between the two leaves what is mended again.
    database.commit()
    _set_aside(data, one.collection.vector_segment)
    return Mended(one, Outcome.ACCEPTED if lost else Outcome.REBUILT, len(put_back), lost)


def _put_back(database: Database, one: Examined, vectors: Mapping[str, bytes]) -> Sequence[Entry]:
    """Write vectors into the log, and return the entries: none where it has no room for them.

    Where there is no room for all, the log may have an older vector of some: 0.5.23 leaves the last entry that it has taken
    over, so that there is one place too few.
    """
    for some in (vectors, {name: vector for name, vector in vectors.items() if name in one.unwritten}):
        with suppress(NoRoomError):
            return database.put_back(one.collection, some)
    return ()


def _trim(database: Database, collection: Stored, log: Sequence[Entry]) -> int:
    """Take out of the log what later entries have replaced, where that is much; return how many entries went."""
    reached = min(map(database.reached, (collection.vector_segment, collection.metadata_segment)))
    entries = [entry for entry in log if entry.seq_id <= reached]
    live = replay.vectors(entries)
    if len(entries) <= max(_LOG_FACTOR * len(live), len(live) + _LOG_ROOM):
        return 0
    return database.trim(collection, reached, frozenset(live.values()))


def _hand_out(data: Path, database: Database, one: Examined, lost: Collection[str]) -> None:
    """Write what is left of records whose vectors are lost, a line of JSON each: with it they can be embedded anew."""
    directory = data / SET_ASIDE
    directory.mkdir(exist_ok=True)
    with (directory / f"{one.collection.id}.jsonl").open("w", encoding="utf-8") as file:
        for record in database.documents(one.collection, frozenset(lost)):
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _set_aside(data: Path, segment: str) -> None:
    aside = data / SET_ASIDE / segment
    aside.parent.mkdir(exist_ok=True)
    shutil.rmtree(aside, ignore_errors=True)
    if (data / segment).exists():
        (data / segment).rename(aside)


def _vectors(data: Path, database: Database, one: Examined) -> dict[str, bytes]:
    """Return the vectors that the index has and the log has not, by their ids; of a torn index those that are certain."""
    try:
        index = Index.read(data / one.collection.vector_segment)
        ids = {label: name for name, label in _labels(index, database, one).items()}
        normalised = database.metric(one.collection) == "cosine"
        return {
            ids[label]: vector
            for label, vector in index.vectors(normalised=normalised)
            if ids.get(label) in one.unlogged
        }
    except TornError:
        return {}


def _labels(index: Index, database: Database, one: Examined) -> dict[str, int]:
    """Return the labels of the ids, also where the list of them does not load; raises `TornError` where they are not certain.

    Labels and rows of the database are given in the same order, that of the log. Where the log has deleted nothing since
    the index was persisted, the elements that live are therefore the first records of the database.
    """
    try:
        return dict(index.labels)
    except TornError:
        if database.deletes(one.collection):
            raise
    ids = database.ids(one.collection)
    labels = sorted(label for label, _ in index.vectors(normalised=False))
    if len(labels) > len(ids) or len(set(labels)) != len(labels) or 0 in labels:
        raise TornError("which vector is whose is not certain")
    return dict(zip(ids, labels, strict=False))


def _is_index(directory: Path) -> bool:
    return (directory / HEADER).exists() or (directory / IDS).exists()
