"""The rights that the suite ships are what an API server makes of them: enough, and no more."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from cluster.accounts import admit
from cluster.node.api import path_of
from cluster.provider import Account
from support.core.wait import wait_for
from support.kube import probe
from support.kube.client import Kube
from support.kube.errors import ApiError
from support.platform import audit, rights
from support.platform.permissions import lacking
from tests.live.cluster.ask import ask_api

if TYPE_CHECKING:
    from collections.abc import Callable

    from cluster.layout import Layout
    from cluster.provider import Access
    from support.kube.objects import Object, Objects

SCOPE: Final = rights.scope_of("chroma", {"domain_name": "example.com"})
# Nobody's namespace, in which no role is bound.
NOWHERE: Final = "chroma-nobody"
# Seconds until the API server sees a role or a policy that was changed: 10 ms, and 2 s.
PATIENCE: Final = 30.0


@pytest.fixture(scope="module")
def suite(cluster: Access, client: Kube, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Kube]:
    """Return the suite's way to the cluster in a mode; the release's namespace is there."""
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SCOPE.release}})
    directory = tmp_path_factory.mktemp("accounts")

    def enter(mode: str) -> Kube:
        file = directory / mode
        if not file.exists():
            account = Account(rights.HOME, mode, rights.manifests(mode, SCOPE))
            admit(cluster.kubeconfig, account, file)
        return Kube(file, cluster.context)

    return enter


@pytest.fixture
def deploying(suite: Callable[[str], Kube]) -> Kube:
    """The suite in mode deploy, once the API server bounds it."""
    kube = suite("deploy")
    elsewhere = partial(refusal, kube, notes("kube-system"))
    wait_for(lambda: "alone" in elsewhere(), PATIENCE, lambda: "nothing bounds the suite")
    return kube


def notes(namespace: str, **more: Any) -> Object:
    metadata = {"generateName": "notes-", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**metadata, "name": ""}, **more}


def refusal(kube: Kube, obj: Object) -> str:
    """Return why an object is not created, "" where it is; it goes again."""
    try:
        made = kube.create(obj)
    except ApiError as error:
        return str(error)
    kube.delete(obj["kind"], made["metadata"]["name"], made["metadata"]["namespace"])
    return ""


def without(rules: Objects, right: rights.Grant) -> Objects:
    """Return the rules of a role without one right, each for one resource and one name."""
    split = [
        {**rule, "resources": [resource], "verbs": list(rule["verbs"])}
        | ({"resourceNames": [name]} if name else {})
        for rule in rules
        for resource in rule["resources"]
        for name in rule.get("resourceNames") or (None,)
    ]
    for rule in split:
        names = rule.get("resourceNames") or [None]
        if (rule["apiGroups"], rule["resources"], names) == ([right.group], [right.resource], [right.name]):
            rule["verbs"] = [verb for verb in rule["verbs"] if verb != right.verb]
    return [rule for rule in split if rule["verbs"]]


def change(cluster: Access, files: Layout, role: Object, rules: Objects) -> None:
    """Give a role other rules, as the administrator."""
    administrator = files.pki / "admin.crt", files.pki / "admin.key"
    status, said = ask_api(cluster, "PATCH", path_of(role), certificate=administrator, body={"rules": rules})
    assert status == 200, said


@pytest.mark.parametrize("mode", rights.MODES)
def test_each_right_that_is_taken_away_is_named(
    mode: str, suite: Callable[[str], Kube], cluster: Access, files: Layout
) -> None:
    kube, objects = suite(mode), rights.manifests(mode, SCOPE)
    needed = rights.grants(objects)
    asked = partial(lacking, kube, needed, NOWHERE)
    wait_for(lambda: not asked(), PATIENCE, lambda: f"lacking from the beginning: {asked()}")
    for right in needed:
        role = next(obj for obj in objects if obj["kind"].endswith("Role") and right in rights.grants([obj]))
        change(cluster, files, role, without(role["rules"], right))
        wait_for(partial(_are, asked, [right]), PATIENCE, partial(_told, right, asked))
        change(cluster, files, role, role["rules"])
        wait_for(partial(_are, asked, []), PATIENCE, partial(_told, right, asked))


def _are(asked: Callable[[], list[rights.Grant]], expected: list[rights.Grant]) -> bool:
    return asked() == expected


def _told(right: rights.Grant, asked: Callable[[], list[rights.Grant]]) -> str:
    return f"{right} was taken away or given back, and lacking is: {asked()}"


def test_who_deploys_writes_where_releases_are(deploying: Kube) -> None:
    assert not refusal(deploying, notes(SCOPE.release))


@pytest.mark.parametrize("namespace", ["kube-system", "default-b", "kube-public"])
def test_who_deploys_writes_nowhere_else(namespace: str, deploying: Kube, client: Kube) -> None:
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    said = refusal(deploying, notes(namespace))
    assert (
        "chroma-conformance writes in the namespace of its release, in its own, and in throw-away ones alone"
        in said
    )


def test_who_deploys_gets_no_token_of_an_account(deploying: Kube) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {
            "name": "borrowed",
            "namespace": SCOPE.release,
            "annotations": {"kubernetes.io/service-account.name": "default"},
        },
    }
    assert "asks for no token of a service account" in refusal(deploying, secret)


def test_who_deploys_makes_no_pod_of_another_account(deploying: Kube, cluster: Access) -> None:
    image = cluster.inventory["vantage_image"]
    pod = probe.pod("borrowed", rights.HOME, "r1", image, ["sleep"], serviceAccountName="deploy")
    assert "makes no pod of a named service account" in refusal(deploying, pod)


@pytest.mark.parametrize("mode", ["verify", "read-only"])
def test_who_deploys_nothing_reads_no_secret_of_others(mode: str, suite: Callable[[str], Kube]) -> None:
    kube = suite(mode)
    assert kube.get("Secret", "example-com-tls", "default")
    for name, namespace in (("borrowed", SCOPE.release), ("example-com-tls", "kube-system")):
        with pytest.raises(ApiError, match="403"):
            kube.get("Secret", name, namespace)
    with pytest.raises(ApiError, match="403"):
        kube.list("Secret", SCOPE.release)


def test_what_an_account_asked_is_in_the_audit_log(suite: Callable[[str], Kube], cluster: Access) -> None:
    kube, log = suite("read-only"), cluster.audit_log
    assert log is not None
    with pytest.raises(ApiError):
        kube.list("Secret", "kube-system")
    asked = audit.Use("list", "", "secrets", "kube-system", "", refused=True)
    granted = rights.grants(rights.manifests("read-only", SCOPE))

    def beyond() -> list[audit.Use]:
        return audit.beyond(granted, audit.uses(log, rights.user("read-only")))

    wait_for(lambda: asked in beyond(), PATIENCE, lambda: f"{asked} is not among {beyond()}")


def test_the_nodes_own_programs_are_left_out_of_the_audit_log(cluster: Access) -> None:
    assert cluster.audit_log is not None
    text = cluster.audit_log.read_text(encoding="utf-8")
    assert '"username":"kubernetes-admin"' in text
    for user in ("system:node:n1", "system:kube-scheduler", "system:serviceaccount:kube-system:"):
        assert f'"username":"{user}' not in text, user
