"""An inventory is judged by what the cluster shows, and what it does not show is said and not guessed."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from trustme import CA

from support.checks.certificate.authority import PAST, issue
from support.checks.inventory import secret_of
from support.platform.assessment import Assessment, Platform, Unknown, judge, unusable
from support.platform.certificate import Source
from support.platform.pull_secret import KIND, PullSecret
from support.platform.rights import Grant

STATED = {
    "domain_name": "example.com",
    "certificate_namespace": "default",
    "primary_ingress_class": "nginx",
    "storage_class_name": "k8s-hostpath",
    "harbor_registry": "harbor.example.com",
    "library_project": "library",
}
AUTHORITY = CA()
SOURCE = Source.of("example.com", "default")
FIT = Platform(
    frozenset({"nginx", "traefik"}),
    frozenset({"k8s-hostpath"}),
    secret_of(issue(AUTHORITY, "*.example.com"), SOURCE),
    (),
    "",
    "",
)
FORBIDDEN = Unknown("forbidden")


def judged(stated: dict[str, Any] | None = None, **changes: Any) -> Assessment:
    return judge(STATED if stated is None else stated, replace(FIT, **changes), datetime.now(UTC))


def test_what_fits_is_not_spoken_of() -> None:
    assert judged() == Assessment((), ())


def test_everything_wrong_is_told_at_once_with_its_remedy() -> None:
    assessment = judged(
        {**STATED, "primary_ingress_class": "apache"},
        storage_classes=frozenset(),
        certificate=secret_of(issue(AUTHORITY, "*.example.com", PAST), SOURCE),
        lacking=(Grant("get", "", "secrets"),),
        silence="no such host",
    )
    beginnings = [
        "primary_ingress_class: the cluster has no apache, but nginx, traefik; give a class that",
        "storage_class_name: the cluster has no k8s-hostpath, but none; give a class that",
        "domain_name: the certificate in Secret default/example-com-tls expired on ",
        "harbor_registry: the nodes do not reach harbor.example.com (no such host); give host[:port]",
        "kubeconfig: its user lacks rights in all namespaces: get of secrets; let an administrator",
    ]
    assert [
        line[: len(text)] for line, text in zip(assessment.problems, beginnings, strict=True)
    ] == beginnings
    assert not assessment.unknown


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        (None, "domain_name: Secret default/example-com-tls is missing"),
        ({"kind": "Secret"}, "domain_name: Secret default/example-com-tls has no certificate and key"),
        (FORBIDDEN, "domain_name: Secret default/example-com-tls cannot be read (forbidden)"),
    ],
)
def test_without_a_certificate_nothing_can_be_deployed(secret: Any, told: str) -> None:
    (line,) = judged(certificate=secret).problems
    assert line.startswith(told)
    assert "; let " in line


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("ingress_classes", "primary_ingress_class: whether the cluster has nginx (forbidden)"),
        ("storage_classes", "storage_class_name: whether the cluster has k8s-hostpath (forbidden)"),
        ("silence", "harbor_registry: whether the nodes reach harbor.example.com (forbidden)"),
    ],
)
def test_what_may_not_be_looked_at_is_said_and_stops_nobody(field: str, told: str) -> None:
    unseen: dict[str, Any] = {field: FORBIDDEN}
    assert judged(**unseen) == Assessment((), (told,))


def test_who_may_not_even_ask_for_rights_is_told_so() -> None:
    (line,) = judged(lacking=FORBIDDEN).problems
    assert line.startswith("kubeconfig: the cluster does not tell its user what it may do (forbidden)")


def test_who_lacks_what_a_run_can_do_without_is_warned() -> None:
    assessment = judged(lacking=(Grant("list", "", "nodes", without="why no node takes a pod is not known"),))
    assert assessment == Assessment(
        (),
        (),
        (
            "kubeconfig: its user lacks rights in all namespaces: list of nodes; why no node takes a pod is not known",
        ),
    )


def test_values_that_are_missing_are_not_judged() -> None:
    none = Platform(frozenset(), frozenset(), None, (), "no such host", "no such name")
    assert judge({}, none, datetime.now(UTC)) == Assessment((), ())


@pytest.mark.parametrize(("status", "told"), [(0, "does not answer"), (401, "does not know its user")])
def test_a_cluster_that_cannot_be_asked_is_told_once(status: int, told: str) -> None:
    (line,) = unusable(status, "why").problems
    assert line.startswith(f"kubeconfig: its cluster {told} (why); ")


def test_a_host_without_an_address_is_a_warning_since_the_apply_may_bring_it() -> None:
    assessment = judged(nameless="chroma.example.com has no address here (Name or service not known)")
    (line,) = assessment.warned
    assert not assessment.problems
    assert line.startswith(
        "domain_name: chroma.example.com has no address here (Name or service not known); an apply waits"
    )
    assert "let DNS name the host, or give the address or the name of the ingress as ingress_address" in line


ROUTED = {
    **STATED,
    "exposure": "route",
    "primary_ingress_class": None,
    "gateway_name": "thinkube-gateway",
    "gateway_namespace": "gateway-system",
    "gateway_section": "https",
    "gateway_http_section": "http",
}
_ALL = {"allowedRoutes": {"namespaces": {"from": "All"}}}
GATEWAY = {
    "kind": "Gateway",
    "spec": {
        "listeners": [
            {"name": "https", "protocol": "HTTPS", "port": 443, **_ALL},
            {"name": "http", "protocol": "HTTP", "port": 80, **_ALL},
        ]
    },
}


def test_a_gateway_that_fits_is_not_spoken_of() -> None:
    assert judged(ROUTED, gateway=GATEWAY) == Assessment((), ())


def test_a_gateway_that_does_not_fit_is_told_with_the_field_that_names_it() -> None:
    (missing,) = judged(ROUTED, gateway=None).problems
    assert missing.startswith(
        "gateway_name: there is no Gateway gateway-system/thinkube-gateway; give a Gateway"
    )
    (unnamed,) = judged({**ROUTED, "gateway_http_section": "web"}, gateway=GATEWAY).problems
    assert unnamed.startswith(
        "gateway_http_section: Gateway gateway-system/thinkube-gateway has no listener web"
    )
    (unknown,) = judged(ROUTED, gateway=FORBIDDEN).unknown
    assert unknown.startswith("gateway_name: whether Gateway gateway-system/thinkube-gateway takes routes")


PLACE = PullSecret("default", "registry")
OTHER = PLACE.within("chroma-conformance")


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ({}, []),
        ({PLACE: {"type": KIND, "data": {".dockerconfigjson": "e30="}}}, []),
        ({PLACE: None}, ["image_pull_secret: Secret default/registry is missing; give the name of a Secret"]),
        (
            {PLACE: FORBIDDEN, OTHER: None},
            [
                "image_pull_secret: Secret default/registry cannot be read (forbidden); let an administrator",
                "image_pull_secret: Secret chroma-conformance/registry is missing; give the name",
            ],
        ),
        (FORBIDDEN, ["image_pull_secret: whether it is there cannot be seen (forbidden); let an"]),
    ],
)
def test_what_images_are_pulled_with_is_told_in_a_line_where_it_is_not_there(
    seen: Any, told: list[str]
) -> None:
    found = judged(pull_secrets=seen).problems
    assert [line[: len(beginning)] for line, beginning in zip(found, told, strict=True)] == told


def node(*addresses: str) -> dict[str, Any]:
    shown = [{"type": "InternalIP", "address": one} for one in addresses]
    return {"status": {"addresses": [*shown, {"type": "Hostname", "address": "one"}]}}


def test_nodes_with_addresses_of_ipv6_alone_are_told_once_and_what_says_so_fits() -> None:
    nodes = [node("fd00::1"), node("fd00::2")]
    (line,) = judged(nodes=nodes).problems
    assert line.startswith(
        "ipv6_pods: the nodes have addresses of IPv6 alone (fd00::1), and so have pods; give true"
    )
    assert judged({**STATED, "ipv6_pods": True}, nodes=nodes) == Assessment((), ())


@pytest.mark.parametrize("nodes", [[node("192.0.2.1")], [node("192.0.2.1", "fd00::1")], [node()], FORBIDDEN])
def test_other_nodes_are_not_spoken_of(nodes: Any) -> None:
    assert judged(nodes=nodes) == Assessment((), ())
