"""Chromas that others have deployed on a cluster, for the suite to try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

from support.core.wait import wait_for
from support.kube.client import Kube
from support.target.deployed import Deployed
from support.target.description import read
from tests.live.cluster.commands import CHECKOUT
from tests.live.cluster.place import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.cluster.site import Site

MANIFESTS: Final = CHECKOUT / "tests/live/targets"
BEARER, CHART, RIGHTS = (CHECKOUT / f"docs/targets/{name}.yaml" for name in ("bearer", "chart", "rights"))
CARELESS: Final = MANIFESTS / "careless.target.yaml"


def deploy(site: Site, *targets: Path) -> None:
    """Deploy what some of these files describe, and wait until it is rolled out."""
    kube, platform = Kube(site.kubeconfig, None), yaml.safe_load(site.inventory.read_text())
    for target in targets:
        text = (MANIFESTS / f"{target.name.partition('.')[0]}.yaml").read_text()
        for obj in yaml.safe_load_all(text.replace("REGISTRY", platform["harbor_registry"])):
            kube.apply(obj)
    if BEARER in targets:
        certificate: Any = kube.get("Secret", "example-com-tls", "default")
        tls = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "notes-tls", "namespace": "notes"}}
        kube.apply({**tls, "type": certificate["type"], "data": certificate["data"]})
    for target in targets:
        _await(Deployed(kube, read(target, {})))


def _await(deployed: Deployed) -> None:
    wait_for(lambda: not deployed.standstill(), PATIENCE, deployed.standstill)
