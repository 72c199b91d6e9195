"""An entry of the cache on disk: a directory with a manifest, which is whole or none."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = ".complete"
"""The file that makes a directory an entry: every other file in it, with its size."""

_UMASK = 0o022


@contextmanager
def readable_by_all() -> Iterator[None]:
    """Let others read what is made: containers do, and not as our user, however careful that one's umask is."""
    before = os.umask(_UMASK)
    try:
        yield
    finally:
        os.umask(before)


def seal(directory: Path) -> None:
    """Bring everything below the directory to disk, and then its manifest."""
    sizes: dict[str, int] = {}
    for parent, directories, names in os.walk(directory):
        for name in names:
            path = Path(parent, name)
            sizes[str(path.relative_to(directory))] = path.lstat().st_size
        # os.walk does not name links to directories among the files.
        sizes.update(
            (str(path.relative_to(directory)), path.lstat().st_size)
            for path in (Path(parent, name) for name in directories)
            if path.is_symlink()
        )
    with (directory / MANIFEST).open("w") as manifest:
        json.dump(sizes, manifest, indent=0, sort_keys=True)
    flush(directory)


def flush(directory: Path) -> None:
    """Bring what was written on the file system of the directory to disk.

    One syncfs instead of an fsync for each file: an entry may hold ten thousands.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(directory))
    finally:
        os.close(descriptor)


def is_complete(place: Path) -> bool:
    """Compare names and sizes with the manifest: finds what is missing or cut short, in milliseconds."""
    try:
        sizes = json.loads((place / MANIFEST).read_text())
        return all(os.lstat(place / name).st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def remove(place: Path) -> None:
    """Remove a directory and all below it, also where somebody else does so, too."""
    # Again when something vanished meanwhile: then someone else removes, too, and may leave the rest to us.
    while place.exists():
        with suppress(FileNotFoundError):
            shutil.rmtree(place)
