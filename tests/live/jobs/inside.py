"""A cluster with a live release, on which the suite runs as Jobs under the rights that it ships."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import yaml

from cluster import layout
from support.core.wait import wait_for
from support.jobs.job import NAME
from support.kube.client import Kube
from tests.live.cluster.commands import CHECKOUT
from tests.live.cluster.place import PATIENCE
from tests.miniature import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.cluster.site import Site

IMAGE: Final = f"{NAME}:{(ROOT / 'VERSION').read_text().strip()}"
# What a run looks at that is over soon.
SHORT: Final = ("features/access.feature", "--scenario", "The right token gives the collections")
# How a Job ends well, and how it does not.
COMPLETE: Final = {"Complete", "SuccessCriteriaMet"}
FAILED: Final = {"Failed", "FailureTarget"}


class Inside:
    """A cluster, and what an operator does there with the suite's Jobs."""

    def __init__(self, site: Site, directory: Path) -> None:
        self.site = site
        self.directory = directory
        self.stated: dict[str, Any] = yaml.safe_load(site.inventory.read_text())
        self.inventory = directory / "inside.yaml"
        # Within the cluster the ingress has another address.
        self.inventory.write_text(yaml.safe_dump(self.stated | {"ingress_address": layout.INGRESS_ADDRESS}))

    @cached_property
    def kube(self) -> Kube:
        """The administrator's way to the cluster."""
        return Kube(self.site.kubeconfig, None)

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl in the suite's namespace, which must end well, and return what it says."""
        return self._kubectl("--namespace", NAME, *arguments)

    def apply(self, text: str) -> None:
        """Apply objects as they are printed."""
        self._kubectl("apply", "--filename", "-", text=text)

    def _kubectl(self, *arguments: str, text: str = "") -> str:
        command = [sys.executable, "-m", "cluster", "kubectl", "--cluster", self.site.kubeconfig.parent.name]
        done = subprocess.run(
            [*command, "--", *arguments],
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

    def printed(self, *options: str) -> str:
        """Return the objects that the suite prints for `kubectl apply`."""
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, "--inventory", str(self.inventory)],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def grant(self, mode: str) -> None:
        """Give the suite the account of a mode with its rights, as the page tells."""
        self.apply(self.printed("--rights", mode))

    def start(self, *options: str) -> str:
        """Start a Job, and return its name once it has a pod."""
        rendered = self.printed("--job", *options)
        name: str = list(yaml.safe_load_all(rendered))[-1]["metadata"]["name"]
        self.apply(rendered)
        self.kubectl("wait", f"job/{name}", "--for=jsonpath={.status.active}", "--timeout=60s")
        return name

    def ended(self, name: str) -> str:
        """Wait for the end of a Job, and return how it ended."""

        def last() -> str:
            conditions = (self.kube.get("Job", name, NAME) or {}).get("status", {}).get("conditions")
            return str(conditions[-1]["type"]) if conditions else ""

        return wait_for(last, 6 * PATIENCE, lambda: f"Job {name} has not ended")

    def end(self, *options: str) -> tuple[str, str, str]:
        """Run a Job to its end; return its name, how it ended, and its log."""
        name = self.start(*options)
        return name, self.ended(name), self.kubectl("logs", f"job/{name}")

    def pod(self, job: str, index: int = 0) -> dict[str, Any]:
        """Return the pod of a Job, or that of an index of it."""
        pods = self.found("pods", "--selector", f"batch.kubernetes.io/job-name={job}")["items"]
        (found,) = [
            one
            for one in pods
            if one["metadata"]["labels"].get("batch.kubernetes.io/job-completion-index", "0") == str(index)
        ]
        pod: dict[str, Any] = found
        return pod

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
