"""Looks for damage in the copy of a release's data: what was torn before it was copied comes back torn."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from support.persistence.database import DATABASE, DamagedError, Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# The database, and what SQLite takes over or back when it is opened; the index of its log (-shm) it makes anew.
_DATABASE: Final = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-journal")


def findings(sizes: Mapping[str, int], unpack: Callable[[str, Path], None], scratch: Path) -> tuple[str, ...]:
    """Return what is wrong with the files of a copy, a sentence each.

    `sizes` are the files' bytes by name; `unpack` writes one of them below a directory. In `scratch` there is room for the
    database and the largest index.
    """
    if DATABASE not in sizes:
        return (f"there is no {DATABASE}: nothing was ever written, or the data lies elsewhere",)

    from support.persistence.check import examine  # noqa: PLC0415 - with numpy, which a restore does without

    with TemporaryDirectory(dir=scratch, prefix=".check-") as place:
        directory = Path(place)

        @contextmanager
        def lend(index: str) -> Iterator[Path]:
            for name in sizes:
                if name.startswith(f"{index}/"):
                    unpack(name, directory)
            yield directory / index
            shutil.rmtree(directory / index, ignore_errors=True)

        for name in sizes.keys() & _DATABASE:
            unpack(name, directory)
        try:
            with Database.open(directory, write=True) as database:
                return tuple(
                    f"the vector index of the collection {one.collection.name!r} does not fit together: {one.torn}"
                    for one in examine(database, lend, keeps_log=database.keeps_log)
                    if one.torn
                )
        except DamagedError as error:
            return (f"the database {DATABASE} is damaged: {error}",)
