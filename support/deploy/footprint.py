"""Counts the index directories on a release's claim: Chroma keeps those of deleted collections for good (docs/persistence.md)."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.deploy.reading import readings
from support.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from support.deploy.live import Live
    from support.deploy.namespace import Namespace

_MIB: Final = 2**20
# A directory is called by the id of a segment; a line of the readers below is the size of a file, and where it is.
_INDEX_FILE: Final = re.compile(r"(\d+)\t\S*/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([^/\s]+)")
_PRINT: Final = """
import os, sys
for top, _, files in os.walk(sys.argv[1]):
    for file in files:
        print(os.stat(top + "/" + file).st_size, top + "/" + file, sep="\\t")
print("done")
"""
# The official image has the first, those of the embedded cluster the others.
_READERS: Final = (("du", "-ab"), ("python3", "-c", _PRINT), ("python3.11", "-c", _PRINT))


@dataclass(frozen=True)
class Footprint:
    """How many index directories there are, and how many bytes are in their files."""

    directories: int = 0
    size: int = 0

    def __sub__(self, before: Footprint) -> Footprint:
        """Return by how much it has grown."""
        return Footprint(self.directories - before.directories, self.size - before.size)

    def __str__(self) -> str:
        return f"{self.directories} ({self.size / _MIB:.1f} MiB)"


def footprint(live: Live) -> Footprint:
    """Count the index directories on the claim of a release, of collections that are there and of deleted ones.

    Raises a LookupError, which holds what was said, where nothing in the container can read them.
    """
    complaints = []
    for said in readings(live, ((*reader, live.release.chroma.data) for reader in _READERS)):
        found = _INDEX_FILE.findall(said)
        if found or _is_whole(said, live.release.chroma.data):
            return Footprint(len({name for _, name, _ in found}), sum(int(size) for size, _, _ in found))
        complaints.append(said.strip())
    raise LookupError(
        f"the files of {live.namespace} cannot be listed in its container: {'; '.join(complaints)}"
    )


def _is_whole(said: str, data: str) -> bool:
    """Whether the files were listed to the end, where no index is among them: du ends with the place that it was given."""
    last = said.strip().rpartition("\n")[2]
    return last == "done" or last.endswith(f"\t{data}")


@contextmanager
def measuring_growth(namespace: Namespace, measured: MutableMapping[str, str]) -> Iterator[None]:
    """Put among what was measured by how much the index directories of a release that stays grow within the block.

    Where they cannot be counted, nothing is told.
    """
    before = _seen(namespace)
    yield
    now = _seen(namespace)
    if now is not None and (now.directories or before):
        new = "" if before is None else f", {now - before} of them from this run"
        measured[f"index directories on the claim of {namespace.name}"] = f"{now}{new}"


def _seen(namespace: Namespace) -> Footprint | None:
    """Count; None where there may be some, and no release that can be asked."""
    try:
        if live := namespace.recalled():
            return footprint(live)
        claims = namespace.kube.list("PersistentVolumeClaim", namespace.name)
    except (ApiError, LookupError):
        return None
    return None if claims else Footprint()
