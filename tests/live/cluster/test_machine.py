"""The machine is as it was while a cluster lives on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live.cluster import machine

if TYPE_CHECKING:
    from cluster.provider import Access


@pytest.mark.parametrize("fact", machine.FACTS)
@pytest.mark.usefixtures("cluster")
def test_a_living_cluster_leaves_the_machine_alone(machine_before: machine.Machine, fact: str) -> None:
    assert machine.changes(machine_before, fact) == []


def test_a_cluster_says_what_it_can_do(cluster: Access) -> None:
    assert cluster.capabilities == {
        "kubernetes",
        "vantage",
        "ingress",
        "networkpolicy",
        "volume-expansion",
        "storage-limit",
        "disposable",
        "exec",
        "other-releases",
    }
