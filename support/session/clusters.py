"""Where the cluster of a run comes from: handed in by conftest.py, since support knows no cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from support.platform.assessment import Assessment
    from support.reporting.conformance import UsedImage
    from support.session.target import Target


class Access(Protocol):
    """What a provider says of its cluster."""

    @property
    def kubeconfig(self) -> Path:
        """The file that names the cluster and who may ask it."""

    @property
    def context(self) -> str:
        """The context of that file."""

    @property
    def inventory(self) -> Mapping[str, Any]:
        """What the platform gives, by the inventory's names."""


class Ground(Protocol):
    """What a run stands on: a cluster, or the address of a Chroma."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def capabilities(self) -> frozenset[str]:
        """What it has, by the names of the tags `needs-…`."""

    @property
    def images(self) -> Sequence[UsedImage]:
        """Those that were made for it."""


class Cluster(Access, Ground, Protocol):
    """A cluster that can be used."""

    @property
    def platform_kubeconfig(self) -> Path | None:
        """With which other people are played, where that is not the one of `kubeconfig`."""

    @property
    def audit_log(self) -> Path | None:
        """Where its API server writes down what it is asked, where that can be read."""


def as_cluster(ground: Ground) -> Cluster:
    """Return a run's ground where it is a cluster, as it is unless the run is about an address."""
    assert hasattr(ground, "kubeconfig"), (
        f"{ground.name} is no cluster: needs-kubernetes keeps scenarios from it"
    )
    return cast("Cluster", ground)


def as_target(ground: Ground) -> Target | None:
    """Return a run's ground where it is what something else deployed, None where it is not."""
    return cast("Target", ground) if hasattr(ground, "deployed") else None


@dataclass(frozen=True)
class HandedCluster:
    """A cluster as a worker knows it: the controlling process has created it, and ends it."""

    name: str
    kubeconfig: Path
    context: str
    capabilities: frozenset[str]
    inventory: Mapping[str, Any]
    platform_kubeconfig: Path | None = None
    audit_log: Path | None = None
    images: Sequence[UsedImage] = ()

    @classmethod
    def read(cls, handed: Mapping[str, Any]) -> HandedCluster:
        """Return what `hand_over` has written, from its JSON."""
        return cls(
            handed["name"],
            Path(handed["kubeconfig"]),
            handed["context"],
            frozenset(handed["capabilities"]),
            handed["inventory"],
            _path(handed["platform_kubeconfig"]),
            _path(handed["audit_log"]),
        )


def hand_over(cluster: Cluster) -> dict[str, Any]:
    """Return what a worker has to know of a cluster, as JSON holds it; the images are the report's alone."""
    return {
        "name": cluster.name,
        "kubeconfig": str(cluster.kubeconfig),
        "context": cluster.context,
        "capabilities": sorted(cluster.capabilities),
        "inventory": {name: _plain(value) for name, value in cluster.inventory.items()},
        "platform_kubeconfig": _plain(cluster.platform_kubeconfig),
        "audit_log": _plain(cluster.audit_log),
    }


def _path(handed: str | None) -> Path | None:
    return Path(handed) if handed else None


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


class Provider(Protocol):
    """Where a cluster comes from."""

    def create(self) -> Cluster:
        """Give a cluster; raises the error of its `Clusters`, and then leaves nothing behind."""

    def delete(self) -> None:
        """End what create() made, and only that; harmless when there is nothing."""


@dataclass(frozen=True)
class Clusters:
    """What chooses a provider, what examines its cluster, and the error that either may end with."""

    provider_for: Callable[..., Provider]
    preflight: Callable[..., Assessment]
    error: type[Exception]


CLUSTERS: Final = pytest.StashKey[Clusters]()
