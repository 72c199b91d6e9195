"""Leaves to the other shards of a run what is theirs; a plugin of a run that is one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.jobs.shards import USUAL, read_seconds, split
from support.reporting.scenario import Scenario
from support.session.suite import SUITE

if TYPE_CHECKING:
    from support.jobs.shards import Shard


@pytest.hookimpl(trylast=True)  # after everything else that chooses: what is shared is what was chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the scenarios of this shard, and note what the others are to run."""
    run = config.stash[SUITE].run
    shard: Shard | None = run.options.shard
    if shard is None:
        return
    by_feature: dict[str, list[list[str]]] = {}
    for item in items:
        if scenario := Scenario.among(item.user_properties):
            by_feature.setdefault(_feature(item), []).append([item.nodeid, scenario.place, scenario.name])
    shares = split(by_feature, shard.of, read_seconds(run.options.durations or USUAL))
    run.shares = [[one for feature in share for one in by_feature[feature]] for share in shares]
    own = set(shares[shard.number - 1])
    others = [item for item in items if _feature(item) in by_feature and _feature(item) not in own]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


def _feature(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
