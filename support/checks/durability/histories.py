"""Histories of writes on a live release whose pod and process end in between."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.checks.durability.ends import HEADER
from support.checks.durability.writing import Load, WriteLog, writing
from support.chroma import samples
from support.laws.survival import DIMENSION, acknowledged_survives

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.checks.durability.ends import Kill, Scene
    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.chroma.types import Record

_LOAD: Final = Load(writers=2, batch=10, records=3000, dimension=DIMENSION)
# An index that is written with every 100 records.
_OFTEN: Final = {"sync_threshold": 100, "batch_size": 50}
_AGAIN: Final = "pytest features/durability.feature --scenario 'Any history of writes, kills and replaced pods' --hypothesis-seed={}"


@dataclass(frozen=True)
class _Ends:
    """Ends the release of a scene."""

    scene: Scene
    kill_process: Kill

    def replace(self) -> None:
        self.scene.replace_pod()

    def kill(self) -> None:
        self.scene.renew_pod()
        self.kill_process()

    def kill_while_adding(
        self, collection: Collection, known: int
    ) -> tuple[Sequence[Record], Sequence[Record]]:
        self.scene.renew_pod()
        log = WriteLog(samples.records(known, DIMENSION))
        with writing(collection, self.scene.deadlines, _LOAD, log):
            self.kill_process(HEADER, "1", "2ms")
        return log.acknowledged[known:], log.indeterminate


def try_any(scene: Scene, database: Database, seed: str) -> None:
    """Try histories, each on a new collection; `seed` is the one that was given, else the run's number is."""
    numbers = itertools.count(1)
    number = int(seed) if seed else int(scene.run_id, 16)

    def new() -> Collection:
        return database.create(f"history-{next(numbers)}", hnsw=_OFTEN)

    with scene.killer() as kill:
        acknowledged_survives(new, _Ends(scene, kill), number, _AGAIN)
