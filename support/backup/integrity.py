"""Looks for damage in the copy of a release's data: what was torn before it was copied comes back torn.

Chroma writes its vector indexes in place (docs/persistence.md), so that a killed process or a full disk may leave one that
no longer fits together; the ids, documents and metadata are in the database, which is sound on its own.
"""

from __future__ import annotations

import pickletools
import sqlite3
import struct
from contextlib import closing
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DATABASE: Final = "chroma.sqlite3"
_HEADER, _LENGTHS, _VECTORS, _LINKS = "header.bin", "length.bin", "data_level0.bin", "link_lists.bin"
# Written last, whenever an index is persisted.
_IDS: Final = "index_metadata.pickle"
# The beginning of hnswlib's header: version, offset of level 0, capacity, number of elements, bytes of each.
_HEADER_START: Final = struct.Struct("<iQQQQ")
_NAME_OF: Final = "SELECT c.name FROM segments s JOIN collections c ON c.id = s.collection WHERE s.id = ?"


def findings(sizes: Mapping[str, int], unpack: Callable[[str, Path], None], scratch: Path) -> tuple[str, ...]:
    """Return what is wrong with the files of a copy, a sentence each.

    `sizes` are the files' bytes by name; `unpack` writes one of them below a directory, for which there is room in
    `scratch`.
    """
    with TemporaryDirectory(dir=scratch, prefix=".check-") as place:
        directory = Path(place)
        # Without the log's index (-shm): SQLite makes it anew.
        for name in sizes:
            if name in {DATABASE, f"{DATABASE}-wal"} or PurePosixPath(name).name in {_HEADER, _IDS}:
                unpack(name, directory)
        return tuple(_findings(sizes, directory))


def _findings(sizes: Mapping[str, int], directory: Path) -> Iterator[str]:
    if DATABASE not in sizes:
        yield f"there is no {DATABASE}: nothing was ever written, or the data lies elsewhere"
        return
    with closing(sqlite3.connect(directory / DATABASE)) as database:
        yield from _of_database(database)
        # Below the sync threshold an index has files, but no ids yet: its vectors are in the log alone.
        for index in sorted({name.partition("/")[0] for name in sizes if name.endswith(f"/{_IDS}")}):
            owner = _owner(database, index)
            if owner and (found := _of_index(sizes, directory, index)):
                yield f"the vector index of the collection {owner!r} does not fit together: {found}"


def _of_database(database: sqlite3.Connection) -> Iterator[str]:
    try:
        said = [row[0] for row in database.execute("PRAGMA quick_check(5)")]
    except sqlite3.DatabaseError as error:
        said = [str(error)]
    if said != ["ok"]:
        yield f"the database {DATABASE} is damaged: {'; '.join(said)}"


def _of_index(sizes: Mapping[str, int], directory: Path, index: str) -> str | None:
    if missing := [name for name in (_HEADER, _LENGTHS, _VECTORS, _LINKS) if f"{index}/{name}" not in sizes]:
        return f"{', '.join(missing)} is missing"
    try:
        # Only read, never loaded: a pickle may hold any program.
        for _ in pickletools.genops((directory / index / _IDS).read_bytes()):
            pass
    except ValueError as error:
        return f"{_IDS} breaks off: {error}"
    header = (directory / index / _HEADER).read_bytes()
    if len(header) < _HEADER_START.size:
        return f"{_HEADER} breaks off"
    _, _, _, count, size = _HEADER_START.unpack_from(header)
    if count * size > sizes[f"{index}/{_VECTORS}"]:
        return f"{_HEADER} tells of {count} elements, for which {_VECTORS} is too short"
    return None


def _owner(database: sqlite3.Connection, index: str) -> str | None:
    """Return the name of the collection whose index this is; of deleted ones Chroma leaves the files (1.5.9)."""
    try:
        found = database.execute(_NAME_OF, (index,)).fetchone()
    except sqlite3.DatabaseError:
        found = ("unknown",)
    return str(found[0]) if found else None
