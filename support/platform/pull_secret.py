"""What nodes pull images with from a registry that asks for it: a Secret of the platform, of which releases take copies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from support.core.component import PULL_SECRET
from support.kube.labels import ownership
from support.platform.certificate import platform_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.kube.client import Kube
    from support.kube.objects import Object
    from support.platform.certificate import Tls
    from support.platform.inventory import Inventory

KIND: Final = "kubernetes.io/dockerconfigjson"
_KEY: Final = ".dockerconfigjson"


@dataclass(frozen=True)
class PullSecret:
    """A Secret with which nodes pull images, by its place."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"Secret {self.namespace}/{self.name}"

    def within(self, namespace: str) -> PullSecret:
        """Return the one of that name in a namespace that is there already, of which no run makes a copy."""
        return replace(self, namespace=namespace)

    def found(self, kube: Kube) -> Object | None:
        """Return the Secret, None when it is not there; raises `ApiError`."""
        return kube.get("Secret", self.name, self.namespace)

    def read(self, kube: Kube) -> str:
        """Return what it holds, in base64; raises `LookupError` when it is not there, or is of another type."""
        secret = self.found(kube)
        if flaw := flaw_of(secret, self):
            raise LookupError(flaw)
        assert secret
        return str(secret["data"][_KEY])


def stated_pull_secret(stated: Mapping[str, Any]) -> PullSecret | None:
    """Return the Secret that the values of an inventory name; None where they name none, or not its place."""
    name, where = stated.get("image_pull_secret"), stated.get("certificate_namespace")
    return PullSecret(str(where), str(name)) if name and where else None


def platform_pull_secret(inventory: Inventory) -> PullSecret | None:
    """Return the platform's Secret; None where the inventory names none."""
    return stated_pull_secret(dict(inventory))


def needed(source: PullSecret, *, deploys: bool, vantage: str | None) -> Iterator[PullSecret]:
    """Yield the Secrets that have to be there: the `source` where copies are taken, and the one beside a vantage.

    `vantage` is the namespace that its pod is given; "" where it has one of its own, None where there is no pod.
    """
    places = [source.namespace] if deploys or vantage == "" else []
    places += [vantage] if vantage else []
    yield from map(source.within, dict.fromkeys(places))


def copied(kube: Kube, inventory: Inventory) -> tuple[Tls, str | None]:
    """Return what a release copies of the platform's Secrets: its certificate, and what images are pulled with, in base64.

    Raises `LookupError` as each does.
    """
    pull = platform_pull_secret(inventory)
    return platform_certificate(kube, inventory), pull.read(kube) if pull else None


def copy_of(pull: str, namespace: str, run_id: str | None) -> Object:
    """Return a copy for a namespace."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": PULL_SECRET, "namespace": namespace, "labels": ownership(run_id)},
        "type": KIND,
        "data": {_KEY: pull},
    }


def flaw_of(secret: Object | None, place: PullSecret) -> str:
    """Say why nodes cannot pull with the Secret that is there at a place, "" where they can."""
    if secret is None:
        return f"{place} is missing"
    if secret.get("type") != KIND or _KEY not in (secret.get("data") or {}):
        return f"{place} is of type {secret.get('type')}, not {KIND}"
    return ""
