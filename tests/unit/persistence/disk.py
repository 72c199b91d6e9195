"""A small disk in a file, with a file system of its own: its power can be lost."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A torn index can make the server write without an end: no further than this.
_BYTES: Final = 256 * 1024 * 1024


def formatted(image: Path) -> Path:
    """Make a disk with an empty file system, as nodes have it."""
    with image.open("wb") as file:
        file.truncate(_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, capture_output=True)
    return image


@contextmanager
def mounted(image: Path, place: Path) -> Iterator[Path]:
    """Mount a disk for a `with` block; a file system that was cut off is mended by its journal first, as at a node's start."""
    place.mkdir()
    subprocess.run(["mount", "-o", "loop", image, place], check=True, capture_output=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True, capture_output=True)


def without_power(image: Path, copy: Path) -> Path:
    """Return what a mounted disk holds at this moment; what the kernel has not written to it yet is lost, as when power fails."""
    shutil.copyfile(image, copy)
    return copy
