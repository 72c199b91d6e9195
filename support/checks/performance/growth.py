"""Measures what scenarios leave on a claim, as the suite runs them on a release that stays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from support.chroma import samples
from support.chroma.database import Database
from support.chroma.pool import Pool
from support.core.promises import PromiseBroken
from support.deploy.footprint import Footprint, footprint

if TYPE_CHECKING:
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace

_RECORDS: Final = 10
# Index directories that so alike scenarios may leave: that of the collection which they share.
_MOST: Final = 1


@dataclass(frozen=True)
class ClaimGrowth:
    """What so many scenarios have left on the claim of a release."""

    scenarios: int
    left: Footprint

    @property
    def what(self) -> str:
        """What was measured."""
        return f"index directories that {self.scenarios} scenarios leave"

    def __str__(self) -> str:
        return str(self.left)


def measure(home: Namespace, live: Live, run_id: str, count: int) -> ClaimGrowth:
    """Do what so many scenarios do that each use a collection and prove the release live; return what is left of it.

    Raises a LookupError where the files of the release cannot be listed.
    """
    before = footprint(live)
    with Pool(partial(Database, live, run_id)) as pool:
        for _ in range(count):
            with Database(live, run_id, pool) as database:
                database.reuse(records=samples.records(_RECORDS))
            home.prove_live()
    return ClaimGrowth(count, footprint(live) - before)


def assert_small(growth: ClaimGrowth) -> None:
    """Assert that scenarios leave no directory each."""
    if growth.left.directories > _MOST:
        raise PromiseBroken(f"at most {_MOST} index directory of {growth.scenarios} scenarios", growth)
