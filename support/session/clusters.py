"""Where the cluster of a run comes from: handed in by conftest.py, since support knows no cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import pytest

from support.session.run import Access

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from support.platform.assessment import Assessment
    from support.reporting.conformance import UsedImage


class Cluster(Access, Protocol):
    """A cluster that can be used."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def capabilities(self) -> frozenset[str]:
        """What it has, by the names of the tags `needs-…`."""

    @property
    def images(self) -> Sequence[UsedImage]:
        """Those that were made for it."""


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
