"""A NetworkPolicy is blamed where it keeps the ingress out, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from support.diagnosis.policies import Controller, closing

Object = dict[str, Any]
POD: Object = {
    "metadata": {"name": "chroma-0", "labels": {"app": "chroma"}},
    "spec": {"containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 8000}]}]},
}
TRAEFIK: Object = {
    "metadata": {"name": "t", "labels": {"app": "traefik"}},
    "status": {"podIP": "10.244.0.7", "podIPs": [{"ip": "10.244.0.7"}, {"ip": "fd00:10::7"}]},
}
INGRESS = Controller(
    {"metadata": {"name": "ingress", "labels": {"kubernetes.io/metadata.name": "ingress", "tier": "edge"}}},
    [TRAEFIK],
)


def policy(name: str = "p", selector: Object | None = None, **spec: Any) -> Object:
    return {
        "metadata": {"name": name, "namespace": "chroma"},
        "spec": {"podSelector": selector or {}, **spec},
    }


def rule(*peers: Object, ports: list[Object] | None = None) -> list[Object]:
    return [{"from": list(peers), **({"ports": ports} if ports else {})}]


EDGE: Object = {"namespaceSelector": {"matchLabels": {"tier": "edge"}}}
ELSEWHERE: Object = {"namespaceSelector": {"matchLabels": {"tier": "back"}}}
OWN: Object = {"podSelector": {}}


@pytest.mark.parametrize(
    "policies",
    [
        pytest.param([policy(policyTypes=["Ingress"])], id="deny all"),
        pytest.param([policy()], id="deny all, by default"),
        pytest.param([policy(selector={"matchLabels": {"app": "chroma"}})], id="by the pod's label"),
        pytest.param([policy(ingress=rule(ELSEWHERE))], id="another namespace"),
        pytest.param([policy(ingress=rule(OWN))], id="its own namespace alone"),
        pytest.param([policy(ingress=rule(EDGE, ports=[{"port": 9000}]))], id="another port"),
        pytest.param([policy(ingress=rule(EDGE, ports=[{"port": 8000, "protocol": "UDP"}]))], id="UDP"),
        pytest.param(
            [policy(ingress=rule({**EDGE, "podSelector": {"matchLabels": {"app": "x"}}}))], id="pod"
        ),
        pytest.param([policy(ingress=rule({"ipBlock": {"cidr": "192.168.0.0/16"}}))], id="other addresses"),
        pytest.param([policy(ingress=rule({"ipBlock": {"cidr": "fd00:11::/64"}}))], id="others of IPv6"),
        pytest.param(
            [
                policy(
                    ingress=rule(
                        {
                            "namespaceSelector": {
                                "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["edge"]}]
                            }
                        }
                    )
                )
            ],
            id="an expression",
        ),
    ],
)
def test_what_keeps_the_ingress_out_is_named(policies: list[Object]) -> None:
    assert closing(policies, POD, 8000, INGRESS) == ["p"]


@pytest.mark.parametrize(
    "policies",
    [
        pytest.param([], id="none"),
        pytest.param([policy(selector={"matchLabels": {"app": "other"}})], id="of other pods"),
        pytest.param([policy(policyTypes=["Egress"])], id="of the way out"),
        pytest.param([policy(ingress=[{}])], id="all"),
        pytest.param([policy(), policy("q", ingress=rule(EDGE))], id="another lets it in"),
        pytest.param([policy(ingress=rule(EDGE, ports=[{"port": "http"}]))], id="a named port"),
        pytest.param([policy(ingress=rule(EDGE, ports=[{"port": 7000, "endPort": 9000}]))], id="a range"),
        pytest.param([policy(ingress=rule(ELSEWHERE, EDGE))], id="one of two peers"),
        pytest.param([policy(ingress=rule({"ipBlock": {"cidr": "10.244.0.0/16"}}))], id="its addresses"),
        pytest.param([policy(ingress=rule({"ipBlock": {"cidr": "fd00:10::/64"}}))], id="its address of IPv6"),
    ],
)
def test_what_lets_the_ingress_in_is_not_blamed(policies: list[Object]) -> None:
    assert closing(policies, POD, 8000, INGRESS) == []


def test_of_an_unknown_controller_only_a_closed_namespace_is_held_against_a_policy() -> None:
    assert closing([policy(ingress=rule(OWN))], POD, 8000, None) == ["p"]
    assert closing([policy(ingress=rule(ELSEWHERE))], POD, 8000, None) == []
