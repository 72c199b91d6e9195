"""What a release that looks at its volume tells of that in its log: what it found, and how far the building of indexes is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from support.deploy.ways_in import CONTAINER, POD
from support.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from support.kube.client import Kube

# What support/persistence/start.py counts beside collections and records, in words.
_DONE: Final = {
    "rebuilt": "indexes rebuilt",
    "given_up": "records given up",
    "put_back": "vectors put back into the log",
    "trimmed": "entries taken out of the log",
    "removed": "index directories of nobody removed",
}
# Lines from the end of a log: Chroma says little, and the look a line for each collection.
_LINES: Final = 2_000


@dataclass(frozen=True)
class Building:
    """Indexes that Chroma builds anew before it is ready: how many are left, and the records of those that are built and of all."""

    left: int
    built: int
    records: int

    def __str__(self) -> str:
        of = "the index of one collection" if self.left == 1 else f"the indexes of {self.left} collections"
        return f"{of} {'is' if self.left == 1 else 'are'} being built anew: {self.built:,} of {self.records:,} records"


@dataclass(frozen=True)
class Keeping:
    """What the last start of a release has told: what the look found, in words ("": nothing is known), and what is built.

    `torn` are the ids of the collections whose index it found torn. `answered` is the seconds after which every collection
    had answered; None where that is still to come.
    """

    found: str = ""
    torn: frozenset[str] = frozenset()
    building: Building | None = None
    answered: float | None = None


def seen(kube: Kube, namespace: str) -> Keeping:
    """Read what the release in a namespace has told since its container started; nothing where that cannot be read."""
    try:
        return read(kube.logs(namespace, POD, CONTAINER, tail=_LINES).splitlines())
    except ApiError:
        return Keeping()


def read(log: Iterable[str]) -> Keeping:
    """Return what the lines of a container's log say."""
    found, torn, building, answered = "", frozenset[str](), None, None
    each: set[str] = set()
    for line in _objects(log):
        if "torn" in line:
            each.add(line["id"])
        elif "collections" in line and "seconds" in line:
            found, torn, building, answered = _found(line), frozenset(each), None, None
            each.clear()
        elif "rebuilding" in line:
            building = Building(line["rebuilding"], line["built"], line["records"])
        elif "answering" in line:
            building, answered = None, line["seconds"]
    return Keeping(found, torn, building, answered)


def _objects(log: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in log:
        if line.startswith("{"):
            try:
                yield json.loads(line)
            except ValueError:  # a line of Chroma's own
                continue


def _found(line: Mapping[str, Any]) -> str:
    done = [f"{line[name]:,} {words}" for name, words in _DONE.items() if line.get(name)]
    return (
        f"{line['collections']:,} collections, {line['records']:,} records, {', '.join(done) or 'all sound'}"
    )
