"""What the suite may do on a cluster is the least that works: shipped as manifests, without wildcards, and told in the docs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.core import component
from support.platform import audit, rights
from support.platform.audit import READS, UPGRADED
from support.platform.rights import Grant
from support.release.catalogue import load
from tests.samples import validate

ROOT = Path(__file__).parents[2]
SCOPE = rights.scope_of("chroma", {"domain_name": "example.com"})
# With which somebody gives himself more rights than he has (Kubernetes: RBAC good practices).
ESCALATING = {"escalate", "bind", "impersonate"}
ESCALATED = {"serviceaccounts/token", "nodes/proxy", "pods/ephemeralcontainers", "certificatesigningrequests"}
# By which a Job keeps its report beside its own pod.
REPORTING = {Grant(verb, "", "configmaps", rights.HOME) for verb in ("create", "patch")}


def objects(mode: str) -> list[dict[str, Any]]:
    return rights.manifests(mode, SCOPE)


def granted(mode: str) -> list[Grant]:
    return rights.grants(objects(mode))


@pytest.mark.parametrize("mode", rights.MODES)
def test_the_objects_are_valid_and_all_of_one_account(mode: str) -> None:
    made = objects(mode)
    validate(made)
    roles = [obj for obj in made if obj["kind"] in {"Role", "ClusterRole"}]
    bindings = [obj for obj in made if obj["kind"] in {"RoleBinding", "ClusterRoleBinding"}]
    assert [obj["roleRef"]["name"] for obj in bindings] == [obj["metadata"]["name"] for obj in roles]
    subject = {"kind": "ServiceAccount", "name": mode, "namespace": rights.HOME}
    assert all(obj["subjects"] == [subject] for obj in bindings)


def flaws(mode: str, granted: list[Grant]) -> list[str]:
    """Name the rights that the suite must not have in a mode, and why."""
    return [f"{one}: {why}" for one in granted for why in _flaws(mode, one)]


def _flaws(mode: str, one: Grant) -> Iterator[str]:
    if "*" in f"{one.verb}{one.group}{one.resource}":
        yield "a wildcard"
    if one.verb in ESCALATING or one.resource in ESCALATED:
        yield "leads to the rights of others"
    elif one.group == "rbac.authorization.k8s.io" and one.verb != "list":
        yield "changes rights"
    if mode == "deploy":
        if one.resource == "secrets" and one.verb in {"patch", "delete"} and not one.name:
            yield "changes Secrets of others"
        return
    writes = (one.verb not in READS or one.resource in UPGRADED) and one not in REPORTING
    if writes and (
        mode == "read-only" or one.namespace != rights.HOME or not one.resource.startswith("pods")
    ):
        yield "writes"
    if one.namespace not in {None, SCOPE.release, SCOPE.certificate_namespace, rights.HOME}:
        yield "in a namespace that is none of its business"
    if one.resource == "secrets" and (one.verb != "get" or not one.name):
        yield "reads Secrets of others"
    if one.namespace is None and not one.without:
        yield "needed in all namespaces"


@pytest.mark.parametrize("mode", rights.MODES)
def test_no_right_is_more_than_the_mode_takes(mode: str) -> None:
    assert not flaws(mode, granted(mode))


# Each a role that was spoiled: the mode, a right more, and why that is found.
SPOILED = [
    ("deploy", Grant("*", "", "pods"), "a wildcard"),
    ("deploy", Grant("bind", "rbac.authorization.k8s.io", "clusterroles"), "leads to the rights of others"),
    ("deploy", Grant("create", "rbac.authorization.k8s.io", "rolebindings"), "changes rights"),
    ("deploy", Grant("create", "", "serviceaccounts/token"), "leads to the rights of others"),
    ("deploy", Grant("delete", "", "secrets"), "changes Secrets of others"),
    ("verify", Grant("patch", "apps", "statefulsets", "chroma"), "writes"),
    ("verify", Grant("create", "", "configmaps", "default"), "writes"),
    ("verify", Grant("delete", "", "configmaps", rights.HOME), "writes"),
    ("verify", Grant("get", "", "pods/exec", "chroma"), "writes"),
    ("verify", Grant("list", "", "pods", "kube-system"), "in a namespace that is none of its business"),
    ("verify", Grant("list", "", "secrets", "chroma"), "reads Secrets of others"),
    ("verify", Grant("list", "", "pods"), "needed in all namespaces"),
    ("read-only", Grant("create", "", "pods", rights.HOME), "writes"),
    ("read-only", Grant("patch", "", "configmaps", "chroma"), "writes"),
]


@pytest.mark.parametrize(("mode", "more", "why"), SPOILED)
def test_a_role_that_was_spoiled_is_found(mode: str, more: Grant, why: str) -> None:
    assert flaws(mode, [*granted(mode), more]) == [f"{more}: {why}"]


@pytest.mark.parametrize("mode", ["verify", "read-only"])
def test_a_look_into_a_namespace_of_others_is_found(mode: str) -> None:
    look = audit.Use("get", "", "configmaps", "kube-system", "coredns")
    assert audit.beyond(granted(mode), [look]) == [look]


@pytest.mark.parametrize("mode", rights.MODES)
def test_each_role_is_the_suites_own(mode: str) -> None:
    bound = [obj["roleRef"]["name"] for obj in objects(mode) if "roleRef" in obj]
    assert all(name.startswith(f"chroma-conformance-{mode}") for name in bound)


@pytest.mark.parametrize("mode", rights.MODES)
def test_no_right_is_granted_twice(mode: str) -> None:
    made = granted(mode)
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("mode", ["verify", "read-only"])
def test_who_deploys_nothing_reads_the_secrets_that_it_needs(mode: str) -> None:
    named = {(one.namespace, one.name) for one in granted(mode) if one.resource == "secrets"}
    assert {
        ("default", "example-com-tls"),
        ("chroma", component.AUTH_SECRET),
        ("chroma", component.LAST_LIVE),
    } <= named


def test_what_reads_only_may_is_what_verifying_may() -> None:
    assert set(granted("read-only")) <= set(granted("verify"))


@pytest.mark.parametrize("mode", rights.MODES)
def test_the_suites_pod_is_called_by_nobody(mode: str) -> None:
    (policy,) = [obj for obj in objects(mode) if obj["kind"] == "NetworkPolicy"]
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy["spec"]
    assert all(rule["ports"] for rule in policy["spec"]["egress"])


@pytest.mark.parametrize("mode", rights.MODES)
def test_the_suite_has_its_rights_in_the_namespace_of_its_jobs(mode: str) -> None:
    moved = rights.manifests(mode, rights.scope_of("chroma", {"domain_name": "example.com"}, "nightly"))
    subjects = [subject for obj in moved for subject in obj.get("subjects", ())]
    assert {one["namespace"] for one in subjects} == {"nightly"}
    assert rights.HOME not in {obj["metadata"].get("namespace", obj["metadata"]["name"]) for obj in moved}


@pytest.mark.parametrize("mode", ["verify", "read-only"])
def test_a_report_is_a_right_of_a_run_that_keeps_one(mode: str) -> None:
    stated = {"domain_name": "example.com"}
    without, kept = (
        set(rights.needed(rights.Asked(mode, "chroma", report=one), stated)) for one in ("", "nightly")
    )
    assert kept - without == {Grant(verb, "", "configmaps", "nightly") for verb in ("create", "patch")}
    assert not without - kept


def test_another_release_has_rights_of_its_own() -> None:
    other = rights.manifests("verify", rights.scope_of("chroma-b", {"domain_name": "example.com"}))
    assert "chroma-b" in {obj["metadata"].get("namespace") for obj in other}
    assert "chroma" not in {obj["metadata"].get("namespace") for obj in other}


def test_what_is_printed_is_what_is_meant() -> None:
    assert list(yaml.safe_load_all(rights.text(objects("deploy")))) == objects("deploy")


def test_the_names_of_secrets_are_those_of_a_release() -> None:
    assert load("gateway").gateway
    for mode in rights.MODES:
        named = {
            one.name for one in granted(mode) if one.resource == "secrets" and one.namespace != "default"
        }
        assert named - {None} == set(component.SECRETS)


@pytest.mark.parametrize("mode", rights.MODES)
def test_the_page_tells_each_right(mode: str) -> None:
    page = (ROOT / "docs/live-clusters.md").read_text(encoding="utf-8")
    assert "\n".join(rights.table(objects(mode))) in page, (
        "`python -m support.platform.rights` prints the tables"
    )
