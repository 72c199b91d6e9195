"""What nodes pull images with from a registry that asks for it: a Secret of the platform, of which releases take copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.core.component import PULL_SECRET
from support.kube.labels import ownership
from support.platform.certificate import platform_certificate

if TYPE_CHECKING:
    from support.kube.client import Kube
    from support.kube.objects import Object
    from support.platform.certificate import Tls
    from support.platform.inventory import Inventory

KIND: Final = "kubernetes.io/dockerconfigjson"
_KEY: Final = ".dockerconfigjson"


def platform_pull_secret(kube: Kube, inventory: Inventory) -> str | None:
    """Return what the platform's Secret holds, in base64; None where the inventory names none.

    Raises `LookupError` when it is not there, or is of another type.
    """
    if not inventory.image_pull_secret:
        return None
    where = inventory.certificate_namespace
    secret = kube.get("Secret", inventory.image_pull_secret, where)
    if flaw := flaw_of(secret, where, inventory.image_pull_secret):
        raise LookupError(flaw)
    assert secret
    return str(secret["data"][_KEY])


def copied(kube: Kube, inventory: Inventory) -> tuple[Tls, str | None]:
    """Return what a release copies of the platform's Secrets: its certificate, and what images are pulled with.

    Raises `LookupError` as each does.
    """
    return platform_certificate(kube, inventory), platform_pull_secret(kube, inventory)


def copy_of(pull: str, namespace: str, run_id: str | None) -> Object:
    """Return a copy for a namespace."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": PULL_SECRET, "namespace": namespace, "labels": ownership(run_id)},
        "type": KIND,
        "data": {_KEY: pull},
    }


def flaw_of(secret: Object | None, namespace: str, name: str) -> str:
    """Say why nodes cannot pull with a Secret, "" where they can."""
    if secret is None:
        return f"Secret {namespace}/{name} is missing"
    if secret.get("type") != KIND or _KEY not in (secret.get("data") or {}):
        return f"Secret {namespace}/{name} is of type {secret.get('type')}, not {KIND}"
    return ""
