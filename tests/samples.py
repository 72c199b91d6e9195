"""An inventory and rendered releases for tests that need some, and a check of objects."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

import kubernetes_validate
from pydantic import SecretStr

from support.platform.certificate import Tls
from support.platform.inventory import Inventory
from support.release.catalogue import load
from support.release.place import Place
from support.release.render import render

TOKEN = "correct-horse-Battery"
TLS = Tls(b"certificate", b"key")


def inventory(
    directory: Path, token: str = TOKEN, exposure: Literal["ingress", "route"] = "ingress"
) -> Inventory:
    """Return an inventory; the directory is for its kubeconfig, which is empty."""
    kubeconfig = directory / "kubeconfig"
    kubeconfig.touch()
    return Inventory(
        domain_name="example.com",
        admin_username="tkadmin",
        primary_ingress_class="nginx",
        exposure=exposure,
        kubeconfig=kubeconfig,
        admin_password=SecretStr(token),
        harbor_registry="harbor.example.com",
        vantage_image="harbor.example.com/library/probe:1",
    )


def rendered(
    directory: Path,
    name: str = "gateway",
    *,
    namespace: str = "chroma",
    run_id: str | None = None,
    exposure: Literal["ingress", "route"] = "ingress",
) -> list[dict[str, Any]]:
    """Return the objects of a release."""
    place = Place(namespace, f"{namespace}.example.com", run_id)
    return render(load(name), inventory(directory, exposure=exposure), place, TLS)


def validate(objects: list[dict[str, Any]]) -> None:
    """Raise where an object does not fit the strict schema of Kubernetes 1.34."""
    for obj in objects:
        if not obj["apiVersion"].startswith("gateway.networking.k8s.io/"):  # no schema of Kubernetes' own
            _validate(json.dumps(obj))


@cache
def _validate(document: str) -> None:
    # Most objects are the same in every release, and the schemas are read anew each time.
    kubernetes_validate.validate(json.loads(document), "1.34", strict=True)
