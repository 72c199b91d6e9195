"""A pod at whose addresses nothing listens is known by these, whatever else keeps it from being ready."""

from __future__ import annotations

from typing import Any

import pytest

from support.core.component import LISTENS_ON_IPV6
from support.diagnosis.observation import unheard


def pod(*addresses: str, **environment: str) -> dict[str, Any]:
    env = [{"name": name, "value": value} for name, value in environment.items()]
    status = {"podIP": addresses[0], "podIPs": [{"ip": one} for one in addresses]} if addresses else {}
    return {"spec": {"initContainers": [{"name": "gateway", "env": env}]}, "status": status}


def test_one_with_addresses_of_ipv6_alone_is_told_how_the_gateway_listens_there() -> None:
    assert str(unheard(pod("fd00::7"))).startswith(
        "say ipv6_pods: true in the inventory, by which the gateway listens on IPv6: the pod has fd00::7 alone"
    )


@pytest.mark.parametrize(
    "other",
    [
        pod("10.0.0.7"),
        pod("10.0.0.7", "fd00::7"),
        pod("fd00::7", **{LISTENS_ON_IPV6: "true"}),
        pod(),
        {"spec": {}, "status": {"podIP": "10.0.0.7"}},
    ],
    ids=["IPv4", "both", "listens", "none yet", "an old cluster"],
)
def test_any_other_is_not_spoken_of(other: dict[str, Any]) -> None:
    assert unheard(other) is None
