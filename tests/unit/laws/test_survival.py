"""The law of survival breaks where something is lost, and tells the shortest history that does it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import settings

from support.chroma import calls, samples
from support.chroma.types import Metric
from support.laws.survival import DIMENSION, acknowledged_survives
from tests.unit.laws.collections import Honest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from support.chroma.client import Collection
    from support.chroma.types import Record


class Server:
    """A Chroma in memory whose ends cost what a test says."""

    def __init__(self, loss: Callable[[Collection], None]) -> None:
        self._loss = loss
        self.ended = 0

    def collection(self) -> Collection:
        self._last = cast("Collection", Honest(Metric.L2))
        return self._last

    def _end(self) -> None:
        self.ended += 1
        self._loss(self._last)

    replace = kill = _end

    def kill_while_adding(
        self, collection: Collection, known: int
    ) -> tuple[Sequence[Record], Sequence[Record]]:
        records = samples.records(known + 30, DIMENSION)[known:]
        calls.add(collection, records[:20])
        self._end()
        return records[:10], records[10:]


def tried(server: Server) -> None:
    settings.register_profile("few", max_examples=60, database=None, derandomize=False)
    before = settings.get_current_profile_name()
    settings.load_profile("few")
    try:
        acknowledged_survives(server.collection, cast("Any", server), 7, "again with {}")
    finally:
        settings.load_profile(before)


def test_a_server_that_loses_nothing_holds() -> None:
    server = Server(lambda _: None)
    tried(server)
    assert server.ended


def test_what_is_lost_is_told_with_the_shortest_history() -> None:
    def loses_the_last(collection: Collection) -> None:
        if ids := collection.get(include=[])["ids"]:
            collection.delete(ids=ids[-1:])

    with pytest.raises(AssertionError, match="is missing") as broken:
        tried(Server(loses_the_last))
    said = str(broken.value)
    steps = re.findall(r"after:   (.*)", said)
    assert len(steps) <= 2, said
    assert "again:   again with 7" in said
