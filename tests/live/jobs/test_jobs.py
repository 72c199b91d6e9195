"""The suite runs inside the cluster as well: its exit code is the Job's, and its report outlives the pod."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from cluster import layout
from support.jobs.job import NAME, TOKEN
from tests.live.cluster.commands import CHECKOUT
from tests.live.cluster.place import PATIENCE
from tests.live.cluster.site import Site, booted
from tests.miniature import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE: Final = f"{NAME}:{(ROOT / 'VERSION').read_text().strip()}"
# What a run looks at that is over soon.
SHORT: Final = ("features/access.feature", "--scenario", "The right token gives the collections")
# What a pod needs to be admitted where the standard "restricted" is enforced.
RESTRICTED: Final = {"pod-security.kubernetes.io/enforce": "restricted"}


class Cluster:
    """A cluster with a live release, and a namespace in which the suite's Jobs may run."""

    def __init__(self, site: Site, directory: Path) -> None:
        self.site = site
        self.directory = directory
        stated = yaml.safe_load(site.inventory.read_text())
        self.inventory = directory / "inside.yaml"
        # Within the cluster the ingress has another address.
        self.inventory.write_text(yaml.safe_dump(stated | {"ingress_address": layout.INGRESS_ADDRESS}))

    def kubectl(self, *arguments: str, text: str = "") -> str:
        """Run kubectl in the suite's namespace, which must end well, and return what it says."""
        command = [sys.executable, "-m", "cluster", "kubectl", "--cluster", self.site.kubeconfig.parent.name]
        done = subprocess.run(
            [*command, "--", "--namespace", NAME, *arguments],
            cwd=CHECKOUT,
            input=text,
            capture_output=True,
            text=True,
            timeout=6 * PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def found(self, *arguments: str) -> dict[str, Any]:
        """Return what `kubectl get` finds."""
        found: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "--output", "json"))
        return found

    def render(self, *options: str) -> str:
        """Return the objects of a Job that the suite prints."""
        given = ("--job", "--inventory", str(self.inventory), *options)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *given],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, *options: str) -> tuple[str, str, dict[str, Any]]:
        """Run a Job to its end; return how it ended ("Complete", "Failed"), its log and its report."""
        name, ended = self.end(*options)
        return ended, self.kubectl("logs", f"job/{name}"), self.report(name)

    def end(self, *options: str) -> tuple[str, str]:
        """Run a Job to its end; return its name, and how it ended."""
        rendered = self.render(*options)
        name = list(yaml.safe_load_all(rendered))[-1]["metadata"]["name"]
        self.kubectl("apply", "--filename", "-", text=rendered)
        # A Job ends with either, and a wait is for one.
        self.kubectl("wait", f"job/{name}", "--for=jsonpath={.status.active}", "--timeout=60s")
        self.kubectl("wait", f"job/{name}", "--for=jsonpath={.status.ready}=0", "--timeout=300s")
        self.kubectl("wait", f"job/{name}", "--for=jsonpath={.status.conditions}", "--timeout=60s")
        return name, self.found("job", name)["status"]["conditions"][-1]["type"]

    def collect(self, job: str) -> tuple[int, str, dict[str, Any]]:
        """Merge the shards of a Job; return the exit code, what is said, and the report."""
        reports = self.directory / "collected"
        code, said = self.site.ask(self.site.kubeconfig, reports, "--collect", job)
        return code, said, json.loads((reports / "conformance.json").read_text())

    def report(self, name: str) -> dict[str, Any]:
        """Return the report that a Job has kept."""
        data = self.found("configmap", name)["data"]
        assert data["junit.xml"].startswith("<?xml")
        report: dict[str, Any] = json.loads(data["conformance.json"])
        return report


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of which an operator has made ready what the page tells."""
    directory = tmp_path_factory.mktemp("jobs")
    with booted(directory, IMAGE) as site:
        cluster = Cluster(site, directory)
        code, said = site.ask(site.kubeconfig, directory / "reports", "--apply")
        assert code == 0, said
        cluster.kubectl("create", "namespace", NAME)
        cluster.kubectl(
            "label", "namespace", NAME, *(f"{name}={value}" for name, value in RESTRICTED.items())
        )
        cluster.kubectl("create", "serviceaccount", NAME)
        cluster.kubectl(
            *("create", "clusterrolebinding", NAME, "--clusterrole=cluster-admin"),
            f"--serviceaccount={NAME}:{NAME}",
        )
        token = site.environ["ADMIN_PASSWORD"]
        cluster.kubectl("create", "secret", "generic", TOKEN, f"--from-literal=ADMIN_PASSWORD={token}")
        yield cluster


def test_a_job_proves_a_live_release(cluster: Cluster) -> None:
    ended, log, report = cluster.run(*SHORT)
    assert ended in {"Complete", "SuccessCriteriaMet"}, log
    assert (report["finished"], report["provider"], len(report["scenarios"])) == (True, "external", 1)
    # It reads as on a terminal of a known width, without its colours.
    assert "A caller with the right token is served\n    ✓ The right token gives the collections" in log
    assert "\x1b" not in log
    assert max(map(len, log.splitlines())) <= 160, log
    assert cluster.site.environ["ADMIN_PASSWORD"] not in log + json.dumps(report)


def test_a_spoiled_release_fails_the_job_and_its_log_names_the_cause(cluster: Cluster) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "nobody", "namespace": "chroma"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    cluster.kubectl("apply", "--namespace", "chroma", "--filename", "-", text=json.dumps(policy))
    try:
        ended, log, report = cluster.run(*SHORT, "--patience", "0.3")
    finally:
        cluster.kubectl("delete", "networkpolicy", "nobody", "--namespace", "chroma")
    assert ended in {"Failed", "FailureTarget"}, log
    assert "NetworkPolicy" in log
    assert report["verdict"] == "failure"


def test_a_cronjob_runs_by_its_schedule_and_keeps_its_report(cluster: Cluster) -> None:
    cluster.kubectl("apply", "--filename", "-", text=cluster.render("--schedule", "* * * * *", *SHORT))
    try:
        succeeded = "--for=jsonpath={.status.lastSuccessfulTime}"
        cluster.kubectl("wait", f"cronjob/{NAME}", succeeded, "--timeout=240s")
        jobs = [
            one["metadata"]["name"]
            for one in cluster.found("jobs")["items"]
            if one["metadata"].get("ownerReferences") and one["status"].get("succeeded")
        ]
        assert cluster.report(jobs[0])["finished"]
        owners = cluster.found("configmap", jobs[0])["metadata"]["ownerReferences"]
        assert [(one["kind"], one["name"]) for one in owners] == [("Job", jobs[0])]
    finally:
        cluster.kubectl("delete", "cronjob", NAME)


def test_shards_are_collected_into_one_run_and_a_dead_one_is_named(cluster: Cluster) -> None:
    chosen = ("features/objects.feature", "features/certificate.feature", "--roll-back", "always")
    job, ended = cluster.end("--shards", "2", *chosen)
    code, said, report = cluster.collect(job)
    assert (code, ended in {"Complete", "SuccessCriteriaMet"}) == (0, True), said
    assert [one["finished"] for one in report["shards"]] == [True, True]
    files = {one["place"].partition(":")[0] for one in report["scenarios"]}
    assert files == set(chosen[:2])
    cluster.kubectl("delete", "configmap", f"{job}-1")
    code, said, after = cluster.collect(job)
    assert (code, after["verdict"]) == (1, "failure")
    assert "shard 2 of 2 died: it left no report" in said
    outcomes = {one["id"]: one["outcome"] for one in after["scenarios"]}
    assert set(outcomes) == {one["id"] for one in report["scenarios"]}
    assert "not_run" in outcomes.values()
