"""Collections of a release that stays, which one scenario after the other uses."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, Self

from support.chroma.naming import OLD
from support.chroma.outcomes import Outcome, outcome
from support.network.http import NoResponse

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.chroma.types import Metric

# Seconds after which the database is changed for another, well before others may take it for a dead run's.
_RETIRED: Final = OLD * 0.75
_IDS_ALONE: Final[dict[str, Any]] = {"include": []}


class Pool:
    """Empty collections, in a database of their own that goes with the pool.

    Of each collection that was ever written to, Chroma leaves the files of its index on the claim for good
    (docs/persistence.md): a run that makes one for each scenario litters the claim of a release that stays.

    `make_database` makes the database; again where the release has lost it meanwhile, with its data.
    """

    def __init__(self, make_database: Callable[[], Database]) -> None:
        self._make_database = make_database
        self._database: Database | None = None
        self._free: defaultdict[tuple[Metric, int], list[Collection]] = defaultdict(list)
        self._lent: dict[str, tuple[Metric, int]] = {}
        self._numbers = itertools.count(1)
        self._since = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._database:
            self._database.__exit__(kind, error, trace)

    def lend(self, metric: Metric, dimension: int) -> Collection:
        """Return an empty collection of this metric, for vectors of this dimension."""
        database, free = self._opened(), self._free[metric, dimension]
        while free:
            collection = free.pop()
            if _is_empty(database, collection):
                break
        else:
            collection = database.create(f"shared-{next(self._numbers)}", metric)
        self._lent[str(collection.id)] = metric, dimension
        return collection

    def take_back(self, collection: Collection) -> None:
        """Empty a collection for the next scenario; one that cannot be emptied is not lent again."""
        kind = self._lent.pop(str(collection.id))
        try:
            if self._database and _empty(self._database, collection):
                self._free[kind].append(collection)
        except NoResponse:
            return

    def _opened(self) -> Database:
        is_old = time.monotonic() - self._since > _RETIRED and not self._lent
        if self._database and (is_old or not self._database.is_there()):
            self._free.clear()
            self._database.__exit__(None, None, None)
            self._database = None
        if self._database is None:
            self._database, self._since = self._make_database(), time.monotonic()
        return self._database


def _empty(database: Database, collection: Collection) -> bool:
    """Delete the records of a collection; return whether none is left."""
    held = database.ask_of(collection, "POST", "/get", _IDS_ALONE)
    if outcome(held) is not Outcome.ACCEPTED:
        return False
    if not (ids := held.json()["ids"]):
        return True
    database.ask_of(collection, "POST", "/delete", {"ids": ids})
    return _is_empty(database, collection)


def _is_empty(database: Database, collection: Collection) -> bool:
    count = database.ask_of(collection, "GET", "/count")
    return outcome(count) is Outcome.ACCEPTED and count.json() == 0
