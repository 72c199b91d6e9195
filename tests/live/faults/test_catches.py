"""Every seeded fault is caught, on a real cluster, by the scenario it names and for the reason it names."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from cluster.provider import provider_for
from support.release import faults
from support.release.catalogue import load
from support.release.faults import Fault
from support.session.suite import GATEWAY_API

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Site:
    """A cluster on which faults are tried, one after the other."""

    options: tuple[str, ...]

    def verify(self, fault: Fault, reports: Path) -> subprocess.CompletedProcess[str]:
        """Run one scenario under a fault, in a process of its own as an operator would, and leave nothing of it."""
        release = ("--release", fault.release) if fault.release else ()
        return subprocess.run(
            [
                *(sys.executable, "-m", "pytest", f"features/{fault.caught_by.feature}.feature"),
                *("-p", "no:cacheprovider"),
                *("--fault", fault.name, "--scenario", fault.caught_by.scenario, *release),
                *("--report-dir", str(reports)),
                *("--roll-back", "always", "--remove-data", *self.options),
            ],
            cwd=ROOT,
            # One token in 64 begins so, and what takes it for an option spoils more than it means to.
            env={**os.environ, "ADMIN_PASSWORD": f"-{secrets.token_urlsafe(24)}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )


def _needs_gateway_api(name: str) -> bool:
    feature = ROOT / "features" / f"{Fault.load(name).caught_by.feature}.feature"
    return f"@{GATEWAY_API}" in feature.read_text()


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A cluster with a Gateway only for the faults that are caught there: its certificate hides that the release lacks one."""
    spoiled = {fault.release for fault in map(Fault.load, faults.names()) if fault.release}
    provider = provider_for(
        "embedded",
        kubeconfig=None,
        context=None,
        recipes=ROOT / "manifests" / "images",
        progress=lambda _: None,
        gateway_api=request.param,
        images=[image for release in sorted(spoiled) for image in load(release).images],
    )
    try:
        access = provider.create()
        inventory = tmp_path_factory.mktemp("site") / "inventory.yaml"
        inventory.write_text(yaml.safe_dump({name: str(value) for name, value in access.inventory.items()}))
        capabilities = [f"--capability={name}" for name in sorted(access.capabilities)]
        where = ("--kubeconfig", str(access.kubeconfig), "--context", access.context)
        yield Site((*where, "--inventory", str(inventory), *capabilities))
    finally:
        provider.delete()


@pytest.mark.parametrize(
    ("name", "site"),
    [(name, _needs_gateway_api(name)) for name in faults.names()],
    indirect=["site"],
    ids=faults.names(),
)
def test_the_scenario_named_catches_the_fault(name: str, site: Site, tmp_path: Path) -> None:
    fault = Fault.load(name)
    caught_by, run = fault.caught_by, site.verify(fault, tmp_path)
    report = tmp_path / "junit.xml"
    assert report.exists(), f"the run did not begin:\n{run.stdout}{run.stderr}"
    cases = ET.parse(report).iter("testcase")
    (scenario,) = [case for case in cases if case.get("file")]  # beside what is wrong with the run itself
    failed, could_not_begin = scenario.find("failure"), scenario.find("error")
    failure = failed if failed is not None else could_not_begin
    assert failure is not None, f'nobody noticed in "{caught_by.scenario}":\n{run.stdout}'
    assert caught_by.message in (failure.text or ""), f"it failed for another reason:\n{failure.text}"
    assert json.loads((tmp_path / "conformance.json").read_text())["caught"] == "caught"
