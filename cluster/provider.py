"""All that the rest sees of a cluster: where it comes from, what it offers, and how to end it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Access", "ClusterError", "Provider", "provider_for"]


@dataclass(frozen=True)
class Access:
    """A cluster that can be used.

    `capabilities` are those it has of: ingress, networkpolicy, volume-expansion, storage-limit (a claim
    cannot grow beyond its size by being written to), disposable (its parts may be broken at will), exec (commands may be run in
    containers).
    `inventory` holds the values of the platform that the provider knows; `timings` says when each step
    of a boot was reached, in seconds after it was asked for.
    """

    name: str
    kubeconfig: Path
    context: str
    capabilities: frozenset[str]
    inventory: dict[str, Any]
    timings: tuple[tuple[str, float], ...]


class Provider(Protocol):
    """Where a cluster comes from."""

    def create(self) -> Access:
        """Give a cluster; raises ClusterError, and then leaves nothing behind."""

    def delete(self) -> None:
        """End what create() made, and only that; harmless when there is nothing. Raises ClusterError."""


def provider_for(
    kind: str,
    *,
    kubeconfig: Path | None,
    context: str | None,
    recipes: Path,
    progress: Callable[[str], None],
) -> Provider:
    """Choose a provider: embedded, external, or auto, which is external when a kubeconfig is named.

    A cluster that merely happens to be the current context is never used. `recipes` is a directory of
    image recipes for the registry of an embedded cluster; `progress` hears of each step.
    """
    # Each brings imports that the other can do without.
    if kind == "external" or (kind == "auto" and kubeconfig is not None):
        from cluster.external import ExternalProvider  # noqa: PLC0415

        return ExternalProvider(kubeconfig, context)
    if kind not in {"auto", "embedded"}:
        raise ClusterError(f"there is no provider {kind!r}: choose auto, embedded or external")
    if kubeconfig is not None:
        raise ClusterError("the embedded cluster brings its own kubeconfig: leave it out, or choose external")
    from cluster.embedded import EmbeddedProvider  # noqa: PLC0415

    return EmbeddedProvider(recipes, progress)
