"""What something else deployed is tried as it stands: its verdict is right, nothing of it changes, and what is wrong with it is noticed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from cluster.accounts import admit
from cluster.layout import Layout
from cluster.provider import Account
from support.kube.client import Kube
from support.platform import audit, rights
from tests.live.cluster.others import BEARER, CARELESS, CHART, RIGHTS, deploy
from tests.live.cluster.site import booted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live.cluster.site import Site

ACCESS, COLLECTIONS, DURABILITY = (
    f"features/{name}.feature" for name in ("access", "collections", "durability")
)
# Some of each: what is seen on all ways, what writes, and what goes by one inside the cluster alone.
CHOSEN: Final = "credentials_is_refused or right_token_gives or no_port or a_deleted_collection or to_another"
SOME: Final = (ACCESS, COLLECTIONS, DURABILITY, "-k", CHOSEN)
ACCOUNT: Final = "target"
# Rights that such a run does not use while all is well: evidence, a vantage that does not answer, what Kubernetes 1.35 asks for;
# and those by which a Job keeps its report.
UNSEEN: Final = {
    "get of pods/log in notes",
    "list of events in notes",
    f"get of pods in {rights.HOME}",
    f"create of pods/portforward in {rights.HOME}",
    f"create of configmaps in {rights.HOME}",
    f"patch of configmaps in {rights.HOME}",
}
# What every cluster is asked for that is named; an answer that is refused says that nothing is known of them.
CLASSES: Final = {
    "list of ingressclasses.networking.k8s.io everywhere",
    "list of storageclasses.storage.k8s.io everywhere",
    "list of gateways.gateway.networking.k8s.io everywhere",
}
PARTIAL: Final = {"core": "partial", "extended": "partial"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A cluster on which others have deployed three Chromas."""
    directory = tmp_path_factory.mktemp("targets")
    with booted(directory) as site:
        deploy(site, BEARER, CHART, CARELESS)
        # Who tries it is told no token: it lies in the cluster.
        yield site.without_token()


@pytest.fixture(scope="module")
def kube(site: Site) -> Kube:
    return Kube(site.kubeconfig, None)


@pytest.fixture(scope="module")
def account(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kubeconfig of the account whose rights are shipped."""
    file = tmp_path_factory.mktemp("account") / "kubeconfig"
    admit(site.kubeconfig, Account(rights.HOME, ACCOUNT, list(yaml.safe_load_all(RIGHTS.read_text()))), file)
    return file


def run(site: Site, target: Path, reports: Path, *options: str) -> tuple[int, str, Any]:
    """Try a target; returns how that ended, what was said, and the report."""
    code, said = site.ask(site.kubeconfig, reports, "--target", str(target), *options)
    return code, said, json.loads((reports / "conformance.json").read_text())


def versions(kube: Kube, namespace: str) -> dict[str, str]:
    """Return the resourceVersion of every object in a namespace."""
    return {
        f"{one['kind']} {one['metadata']['name']}": one["metadata"]["resourceVersion"]
        for one in kube.everything(namespace).objects
    }


def left(kube: Kube) -> list[str]:
    """Return the namespaces of the suite that are there and are not on their way out."""
    return [
        one["metadata"]["name"]
        for one in kube.list("Namespace")
        if one["metadata"]["name"].startswith("chroma-conformance-")
        and "deletionTimestamp" not in one["metadata"]
    ]


def test_a_deployment_behind_a_proxy_keeps_its_promises_on_all_ways_and_stays_as_it_is(
    site: Site, kube: Kube, tmp_path: Path, account: Path
) -> None:
    before = versions(kube, "notes")
    options = ("--kubeconfig", str(account), "--vantage-namespace", rights.HOME)
    code, said, report = run(site, BEARER, tmp_path, *SOME, *options)
    assert code == 0, said
    assert {name: level["verdict"] for name, level in report["levels"].items()} == PARTIAL
    assert report["target"] == str(BEARER)
    assert report["versions"]["deployed"] == "Deployment notes/notes"
    assert report["versions"]["chroma"] == "1.5.9"
    passed = {one["scenario"] for one in report["scenarios"] if one["outcome"] == "passed"}
    assert {
        "A caller without a token is refused",
        "No port of the pod gives data without the token",
        "A deleted collection is gone",
        "A record added by one client is visible to another",
    } <= passed
    assert "asks for a token in the header Authorization" in said
    assert "sesame" not in said
    assert "into pods: 0 connections" not in said, "the ways inside the cluster are seen"
    assert versions(kube, "notes") == before
    assert left(kube) == []
    granted = rights.grants(list(yaml.safe_load_all(RIGHTS.read_text())))
    used = list(
        audit.uses(Layout(site.kubeconfig.parent).audit_log, f"system:serviceaccount:{rights.HOME}:{ACCOUNT}")
    )
    assert used
    assert not [one for one in map(str, audit.beyond(granted, used)) if one not in CLASSES]
    assert not [*map(str, audit.intrusions(used, rights.HOME.__eq__))]
    assert not set(map(str, audit.unused(granted, used))) - UNSEEN


def test_the_shape_of_the_communitys_chart_is_told_as_open_and_fails_until_that_is_conceded(
    site: Site, kube: Kube, tmp_path: Path
) -> None:
    before = versions(kube, "vectors")
    code, said, report = run(site, CHART, tmp_path, COLLECTIONS, "-k", "a_deleted_collection")
    assert code == 1, said
    assert (
        said.count("anybody may use it: http://chroma-chromadb.vectors.svc:8000 answers without a token") == 1
    )
    assert {level["failed"] for level in report["levels"].values()} == {0}
    code, said, report = run(site, CHART, tmp_path, *SOME, "--without", "authentication")
    assert code == 0, said
    assert {name: level["verdict"] for name, level in report["levels"].items()} == PARTIAL
    assert versions(kube, "vectors") == before
    assert left(kube) == []


def test_a_proxy_that_lets_strangers_in_is_noticed(site: Site, tmp_path: Path) -> None:
    chosen = ("-k", "cannot_write or two_tokens or no_port")
    code, said, report = run(site, CARELESS, tmp_path, ACCESS, *chosen)
    assert code == 1, said
    failed = {one["scenario"]: one for one in report["scenarios"] if one["outcome"] == "failed"}
    assert {one["trouble"] for one in failed.values()} == {"the release lets strangers in"}
    told = {
        "Without a token a caller cannot add a record": "/add through the service",
        "Two tokens in one request, one of them wrong, give no data": "collections through the pod: 200",
        "No port of the pod gives data without the token": "(port 8000): 200",
    }
    assert failed.keys() == told.keys()
    for title, where in told.items():
        assert where in failed[title]["message"]
        assert any(one.endswith("chroma.log") for one in failed[title]["attachments"])


def test_what_is_not_there_or_does_not_let_us_in_ends_it_before_anything_runs(
    site: Site, kube: Kube, tmp_path: Path, account: Path
) -> None:
    code, said, _ = run(site, CHART, tmp_path, ACCESS, "--kubeconfig", str(account))
    assert code == 4, said
    assert "this user lacks rights in namespace vectors: get of statefulsets.apps chroma-chromadb" in said
    wrong = yaml.safe_load(BEARER.read_text())
    wrong["services"] = [{"name": "note", "port": "http"}]
    wrong["token"]["key"] = "tokn"
    target = tmp_path / "target.yaml"
    target.write_text(yaml.safe_dump(wrong))
    code, said, _ = run(site, target, tmp_path, ACCESS)
    assert code == 4, said
    assert "services.0: there is no Service notes/note; did you mean notes?" in said
    assert "token: Secret notes/notes-token has no key tokn; did you mean token?" in said
    wrong = yaml.safe_load(BEARER.read_text())
    wrong["token"]["header"] = "X-Chroma-Token"
    target.write_text(yaml.safe_dump(wrong))
    code, said, _ = run(site, target, tmp_path, ACCESS)
    assert code == 4, said
    assert (
        "refuses the token of key token of Secret notes/notes-token in the header X-Chroma-Token (401)"
        in said
    )
    assert left(kube) == []


def test_a_target_that_is_not_rolled_out_fails_with_the_state_of_its_pods(
    site: Site, kube: Kube, tmp_path: Path
) -> None:
    image = {"name": "chroma", "image": "harbor.example.com/library/chroma:none"}
    patch = {"spec": {"template": {"spec": {"containers": [image]}}}}
    kube.patch("Deployment", "careless", "careless", patch)
    code, said, _ = run(site, CARELESS, tmp_path, ACCESS)
    assert code == 1, said
    assert "the target is not live: Deployment careless/careless is not rolled out" in said
