"""The rights that the suite needs are told exactly, and rules grant what Kubernetes lets them grant."""

from typing import Any

import pytest

from support.deploy.removal import KINDS
from support.kube.resources import OPTIONAL, resource
from support.platform.permissions import NEEDED, describe, granted, needed
from support.release.catalogue import names
from tests.samples import rendered


def rule(**changes: Any) -> dict[str, Any]:
    return {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], **changes}


GET_SECRETS = ("get", "", "secrets")
GET_LOGS = ("get", "", "pods/log")


@pytest.mark.parametrize(
    ("granting", "right"),
    [
        (rule(), GET_SECRETS),
        (rule(verbs=["*"]), GET_SECRETS),
        (rule(apiGroups=["*"], resources=["*"]), GET_SECRETS),
        (rule(resources=["pods/log"]), GET_LOGS),
        (rule(resources=["*/log"]), GET_LOGS),
        (rule(resources=["*"]), GET_LOGS),
        (rule(apiGroups=["apps"], resources=["statefulsets"]), ("get", "apps", "statefulsets")),
    ],
)
def test_a_rule_grants(granting: dict[str, Any], right: tuple[str, str, str]) -> None:
    assert granted([rule(verbs=[]), granting], right)


@pytest.mark.parametrize(
    ("other", "right"),
    [
        (rule(verbs=["list"]), GET_SECRETS),
        (rule(apiGroups=["apps"]), GET_SECRETS),
        (rule(resources=["pods"]), GET_LOGS),
        (rule(resources=["*/exec"]), GET_LOGS),
        (rule(resourceNames=["chroma-auth"]), GET_SECRETS),
        ({"verbs": ["get"], "apiGroups": [""]}, GET_SECRETS),
    ],
)
def test_a_rule_grants_no_more_than_it_says(other: dict[str, Any], right: tuple[str, str, str]) -> None:
    assert not granted([other], right)


def test_rights_are_told_in_groups() -> None:
    rights = [
        ("get", "", "secrets"),
        ("list", "", "secrets"),
        ("get", "apps", "statefulsets"),
        ("list", "apps", "statefulsets"),
        ("get", "", "pods/log"),
    ]
    assert describe(rights) == "get, list of secrets, statefulsets.apps; get of pods/log"


def test_groups_and_plurals_are_those_of_kubernetes() -> None:
    assert [resource(kind) for kind in ("Namespace", "Secret", "StatefulSet", "Ingress", "StorageClass")] == [
        ("", "namespaces"),
        ("", "secrets"),
        ("apps", "statefulsets"),
        ("networking.k8s.io", "ingresses"),
        ("storage.k8s.io", "storageclasses"),
    ]


@pytest.mark.parametrize("name", names())
def test_whatever_a_release_is_made_of_may_be_made(tmp_path: Any, name: str) -> None:
    for obj in rendered(tmp_path, name):
        assert {"get", "create", "patch", "delete"} <= set(NEEDED[obj["kind"]]), obj["kind"]


def test_whatever_is_looked_for_may_be_listed() -> None:
    # Of an API that a cluster may not have, what may not be listed counts as not there.
    assert all("list" in NEEDED[kind] for kind in KINDS if kind not in OPTIONAL)


def test_no_right_is_asked_twice() -> None:
    assert len(set(needed())) == len(needed())


def test_where_a_route_exposes_hosts_the_right_to_it_takes_the_place_of_that_to_an_ingress() -> None:
    routed, usual = set(needed("route")), set(needed())
    assert {group for _, group, _ in routed - usual} == {"gateway.networking.k8s.io"}
    assert {name for _, _, name in usual - routed} == {"ingresses"}
    assert {verb for verb, _, _ in routed - usual} == {verb for verb, _, _ in usual - routed}
