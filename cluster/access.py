"""What the rest sees of a cluster: how it is reached, what it offers, and how to end it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class UsedImage:
    """An image that a cluster was given, with its tag, and the digest of its manifest.

    `differences` says, a line for each package, how it is not the image that its recipe prefers.
    """

    name: str
    digest: str
    differences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Account:
    """A service account as which a cluster is used, and the objects that make it and grant its rights."""

    namespace: str
    name: str
    objects: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Access:
    """A cluster that can be used.

    `capabilities` are those it has of: kubernetes, ingress, gateway-api, networkpolicy, volume-expansion, storage-limit (a claim
    cannot grow beyond its size by being written to), disposable (its parts may be broken at will), exec (commands may be run in
    containers).
    `inventory` holds the values of the platform that the provider knows; `timings` says when each step
    of a boot was reached, in seconds after it was asked for; `images` are those that the provider made for it.
    `platform_kubeconfig` is the administrator's, for whoever plays other people, where `kubeconfig` is a lesser account's;
    `audit_log` is the API server's, a JSON object of audit.k8s.io/v1 in each line.
    """

    name: str
    kubeconfig: Path
    context: str
    capabilities: frozenset[str]
    inventory: dict[str, Any]
    timings: tuple[tuple[str, float], ...]
    images: tuple[UsedImage, ...] = ()
    platform_kubeconfig: Path | None = None
    audit_log: Path | None = None


class Provider(Protocol):
    """Where a cluster comes from."""

    def create(self) -> Access:
        """Give a cluster; raises ClusterError, and then leaves nothing behind."""

    def delete(self) -> None:
        """End what create() made, and only that; harmless when there is nothing. Raises ClusterError."""
