"""A Gateway is said to take a route, or why it does not, by the rules of the Gateway API."""

from __future__ import annotations

from typing import Any

import pytest

from support.kube.exposure import Parent, doors, hosts, parents
from support.platform.gateway import Guest, covers, flaws

HERE = Guest("chroma", {"team": "ai", "kubernetes.io/metadata.name": "chroma"}, ("chroma.example.com",))
PARENT = Parent("gateway-system", "thinkube-gateway", "https", "HTTPS")


def listener(name: str = "https", **changes: Any) -> dict[str, Any]:
    usual = {
        "name": name,
        "protocol": "HTTPS",
        "port": 443,
        "hostname": "*.example.com",
        **allowed(**{"from": "All"}),
    }
    return {**usual, **changes}


def allowed(**namespaces: Any) -> dict[str, Any]:
    return {"allowedRoutes": {"namespaces": namespaces}}


def denied(kind: str) -> list[dict[str, str]]:
    return [{"type": kind, "status": "False", "reason": "Why", "message": "because"}]


def gateway(*listeners: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {"kind": "Gateway", "spec": {"listeners": list(listeners)}, "status": status}


def seen(found: dict[str, Any] | None, guest: Guest = HERE, parent: Parent = PARENT) -> list[str]:
    return [flaw.why for flaw in flaws(found, parent, guest)]


@pytest.mark.parametrize(
    "taking",
    [
        listener(),
        listener(hostname="chroma.example.com"),
        {key: value for key, value in listener().items() if key != "hostname"},
        listener(**allowed(**{"from": "Selector", "selector": {"matchLabels": {"team": "ai"}}})),
        listener(
            **allowed(
                **{
                    "from": "Selector",
                    "selector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
                }
            )
        ),
        listener(allowedRoutes={"namespaces": {"from": "All"}, "kinds": [{"kind": "HTTPRoute"}]}),
    ],
)
def test_nothing_is_said_of_a_listener_that_takes_the_route(taking: dict[str, Any]) -> None:
    assert seen(gateway(taking)) == []


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "there is no Gateway gateway-system/thinkube-gateway"),
        (gateway(listener("web")), "Gateway gateway-system/thinkube-gateway has no listener https, but web"),
        (gateway(listener(protocol="TLS")), "speaks TLS, not HTTPS"),
        (gateway(listener(hostname="*.elsewhere.com")), "is for *.elsewhere.com, not for chroma.example.com"),
        (
            gateway(listener(allowedRoutes={})),
            "takes routes of namespace gateway-system alone, not of others",
        ),
        (gateway(listener(**allowed(**{"from": "None"}))), "takes routes of namespaces None"),
        (
            gateway(
                listener(**allowed(**{"from": "Selector", "selector": {"matchLabels": {"team": "web"}}}))
            ),
            "takes no routes of a namespace with the labels of chroma",
        ),
        (
            gateway(
                listener(allowedRoutes={"namespaces": {"from": "All"}, "kinds": [{"kind": "GRPCRoute"}]})
            ),
            "takes no HTTPRoute, but GRPCRoute",
        ),
        (gateway(listener(), conditions=denied("Programmed")), "does not serve (Why: because)"),
        (
            gateway(listener(), listeners=[{"name": "https", "conditions": denied("ResolvedRefs")}]),
            "listener https of Gateway gateway-system/thinkube-gateway does not serve (Why: because)",
        ),
    ],
)
def test_each_reason_is_named(found: dict[str, Any] | None, why: str) -> None:
    (said,) = seen(found)
    assert why in said


def test_a_namespace_of_unknown_labels_is_not_judged_by_them() -> None:
    selecting = listener(**allowed(**{"from": "Selector", "selector": {"matchLabels": {"team": "web"}}}))
    assert seen(gateway(selecting), Guest("chroma", None, HERE.hosts)) == []


def test_a_route_that_names_no_listener_needs_one_that_takes_it() -> None:
    anywhere = Parent(PARENT.namespace, PARENT.name, "")
    assert seen(gateway(listener("web", hostname="*.elsewhere.com"), listener()), parent=anywhere) == []
    assert seen(gateway(listener("web", hostname="*.elsewhere.com")), parent=anywhere)


@pytest.mark.parametrize(
    ("pattern", "host", "does"),
    [
        ("*.example.com", "chroma.example.com", True),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "chroma.anexample.com", False),
        ("chroma.example.com", "chroma.example.com", True),
    ],
)
def test_a_host_name_of_a_listener_covers(pattern: str, host: str, *, does: bool) -> None:
    assert covers(pattern, host) is does


def test_a_route_and_an_ingress_tell_their_hosts_and_what_exposes_them() -> None:
    route = {
        "kind": "HTTPRoute",
        "metadata": {"name": "r", "namespace": "chroma"},
        "spec": {
            "hostnames": ["a.example.com"],
            "parentRefs": [{"name": "g"}, {"name": "s", "kind": "Service"}],
        },
    }
    ingress = {
        "kind": "Ingress",
        "metadata": {"name": "i", "namespace": "chroma"},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": "b.example.com"}, {}]},
    }
    assert (hosts(route), doors(route)) == (["a.example.com"], {"chroma/g"})
    assert (hosts(ingress), doors(ingress)) == (["b.example.com"], {"nginx"})
    assert hosts({"kind": "Secret", "metadata": {}}) == []
    assert parents(route) == [Parent("chroma", "g", "")]
