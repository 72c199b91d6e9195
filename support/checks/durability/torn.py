"""Lets a live release come back to an index that is torn, which Chroma then has to build anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.checks.durability.writing import WriteLog
from support.chroma import calls, samples
from support.core.promises import PromiseBroken
from support.deploy.ways_in import CONTAINER, POD

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from support.checks.durability.ends import Scene
    from support.chroma.client import Collection
    from support.deploy.keeping import Keeping

# Vectors as usual embeddings have them.
_DIMENSION: Final = 384
_BATCH: Final = 500
# Cuts the list of ids in the index of a collection, as a kill does that comes while it is written.
_TEAR: Final = """
import os, sqlite3, sys
database = sqlite3.connect("file:/data/chroma.sqlite3?mode=ro", uri=True)
asked = "SELECT id FROM segments WHERE collection = ? AND scope = 'VECTOR'"
ids = f"/data/{database.execute(asked, sys.argv[1:]).fetchone()[0]}/index_metadata.pickle"
os.truncate(ids, os.path.getsize(ids) // 2)
"""


def tear(scene: Scene, collection: Collection, count: int) -> WriteLog:
    """Add the first `count` deterministic records to an empty collection, and cut its index; return what was acknowledged."""
    records = samples.records(count, _DIMENSION)
    for begin in range(0, count, _BATCH):
        calls.add(collection, records[begin : begin + _BATCH])
    argv = ["python3.11", "-ISBc", _TEAR, str(collection.id)]
    done = scene.live.kube.exec(scene.live.namespace, POD, CONTAINER, argv, scene.deadlines.reading)
    assert done.code == 0, f"the index could not be torn: {done.stderr.decode('utf-8', 'replace')}"
    return WriteLog(records)


def replace_pod(scene: Scene, measured: MutableMapping[str, str]) -> Keeping:
    """Replace the release's pod; return what its successor had told when it became ready, and report how long that took."""
    told = scene.replace_pod()
    measured["until an index that was torn answers"] = f"{told.answered} s"
    return told


def assert_answered(told: Keeping) -> None:
    """Assert that a pod was ready only when every collection answered, and that there was an index to wait for."""
    if told.answered is None:
        raise PromiseBroken(
            "a pod that is ready when every collection answers",
            f"the pod was ready before every collection answered: {told.building or told.found or 'it says nothing'}",
        )
    if "indexes rebuilt" not in told.found:
        raise PromiseBroken("an index that is built anew", told.found)
