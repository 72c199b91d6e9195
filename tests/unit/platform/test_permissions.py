"""Rights that somebody lacks are told exactly, and rules grant what Kubernetes lets them grant."""

from typing import Any

import pytest

from support.deploy.removal import KINDS
from support.kube.resources import resource
from support.platform import rights
from support.platform.permissions import describe, granted, lacking
from support.platform.rights import DEPLOY, Grant
from support.release.catalogue import names
from tests.samples import rendered


def rule(**changes: Any) -> dict[str, Any]:
    return {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], **changes}


GET_SECRETS = Grant("get", "", "secrets")
GET_OUR_SECRET = Grant("get", "", "secrets", "chroma", "chroma-auth")
GET_LOGS = Grant("get", "", "pods/log")


@pytest.mark.parametrize(
    ("granting", "right"),
    [
        (rule(), GET_SECRETS),
        (rule(verbs=["*"]), GET_SECRETS),
        (rule(apiGroups=["*"], resources=["*"]), GET_SECRETS),
        (rule(resources=["pods/log"]), GET_LOGS),
        (rule(resources=["*/log"]), GET_LOGS),
        (rule(resources=["*"]), GET_LOGS),
        (rule(apiGroups=["apps"], resources=["statefulsets"]), Grant("get", "apps", "statefulsets")),
        (rule(), GET_OUR_SECRET),
        (rule(resourceNames=["chroma-gateway", "chroma-auth"]), GET_OUR_SECRET),
    ],
)
def test_a_rule_grants(granting: dict[str, Any], right: Grant) -> None:
    assert granted([rule(verbs=[]), granting], right)


@pytest.mark.parametrize(
    ("other", "right"),
    [
        (rule(verbs=["list"]), GET_SECRETS),
        (rule(apiGroups=["apps"]), GET_SECRETS),
        (rule(resources=["pods"]), GET_LOGS),
        (rule(resources=["*/exec"]), GET_LOGS),
        (rule(resourceNames=["chroma-auth"]), GET_SECRETS),
        (rule(resourceNames=["chroma-gateway"]), GET_OUR_SECRET),
        ({"verbs": ["get"], "apiGroups": [""]}, GET_SECRETS),
    ],
)
def test_a_rule_grants_no_more_than_it_says(other: dict[str, Any], right: Grant) -> None:
    assert not granted([other], right)


def test_rights_are_told_by_place_and_in_groups() -> None:
    some = [
        Grant("get", "", "pods"),
        Grant("list", "", "pods"),
        Grant("get", "apps", "statefulsets"),
        Grant("list", "apps", "statefulsets"),
        GET_LOGS,
        GET_OUR_SECRET,
    ]
    assert describe(some) == (
        "in all namespaces: get, list of pods, statefulsets.apps; get of pods/log; "
        "in namespace chroma: get of secrets chroma-auth"
    )


class Reviewer:
    """An API server that grants some rules in each namespace, and is asked for nothing else."""

    def __init__(self, rules: dict[str, list[dict[str, Any]]], *, incomplete: bool = False) -> None:
        self.rules = rules
        self.incomplete = incomplete

    def create(self, question: dict[str, Any]) -> dict[str, Any]:
        if question["kind"] == "SelfSubjectRulesReview":
            rules = [] if self.incomplete else self.rules.get(question["spec"]["namespace"], [])
            return {"status": {"resourceRules": rules, "incomplete": self.incomplete}}
        asked = question["spec"]["resourceAttributes"]
        resource = "/".join(filter(None, (asked["resource"], asked["subresource"])))
        right = Grant(asked["verb"], asked["group"], resource, None, asked["name"] or None)
        return {"status": {"allowed": granted(self.rules.get(asked["namespace"], []), right)}}


@pytest.mark.parametrize("incomplete", [False, True])
@pytest.mark.parametrize("mode", rights.MODES)
def test_each_right_that_is_taken_away_is_named(mode: str, incomplete: bool) -> None:
    """One by one, of each mode: no right is granted twice, and none is forgotten by the preflight."""
    scope = rights.scope_of("chroma", {"domain_name": "example.com"})
    needed = rights.grants(rights.manifests(mode, scope))
    for gone in needed:
        rules: dict[str, list[dict[str, Any]]] = {}
        for one in needed:
            if one is not gone:
                named = {"resourceNames": [one.name]} if one.name else {}
                rules.setdefault(one.namespace or "nowhere", []).append(
                    {"verbs": [one.verb], "apiGroups": [one.group], "resources": [one.resource], **named}
                )
        kube: Any = Reviewer(rules, incomplete=incomplete)
        assert lacking(kube, needed, "nowhere") == [gone]


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
    granted_ = rights.needed(DEPLOY, {})
    for obj in rendered(tmp_path, name):
        group, plural = resource(obj["kind"])
        verbs = {
            one.verb
            for one in granted_
            if (one.group, one.resource) == (group, plural) and one.name in {None, obj["metadata"]["name"]}
        }
        assert {"get", "create", "patch", "delete"} <= verbs, obj["kind"]


def test_whatever_is_looked_for_may_be_listed() -> None:
    listed = {(one.group, one.resource) for one in rights.needed(DEPLOY, {}) if one.verb == "list"}
    assert {resource(kind) for kind in KINDS} <= listed


def test_where_hosts_are_exposed_by_routes_the_right_to_them_is_that_to_ingresses() -> None:
    verbs = {
        plural: {one.verb for one in rights.needed(DEPLOY, {}) if one.resource == plural}
        for plural in ("ingresses", "httproutes")
    }
    assert verbs["httproutes"] == verbs["ingresses"]
