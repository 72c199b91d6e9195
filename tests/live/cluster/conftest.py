"""A cluster of the tests' own, and namespaces on it; nothing of the suite's fixtures is used."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster.layout import Layout
from cluster.provider import provider_for
from support.kube.client import Kube
from tests.live.cluster import machine
from tests.live.cluster.place import STRETCH, Place
from tests.live.cluster.site import deployed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from cluster.provider import Access
    from tests.live.cluster.site import Site

RECIPES = Path(__file__).parent / "images"


@pytest.fixture(scope="session")
def machine_before() -> machine.Machine:
    """What the machine was like before there was a cluster."""
    return machine.look()


@pytest.fixture(scope="session")
def cluster(machine_before: machine.Machine) -> Iterator[Access]:
    """The cluster that most tests share."""
    del machine_before
    told: list[str] = []
    provider = provider_for(
        "embedded", kubeconfig=None, context=None, recipes=RECIPES, progress=told.append, patience=STRETCH
    )
    yield provider.create()
    provider.delete()


@pytest.fixture(scope="session")
def files(cluster: Access) -> Layout:
    """Where everything of the shared cluster lies."""
    return Layout(cluster.kubeconfig.parent)


@pytest.fixture(scope="session")
def client(cluster: Access) -> Kube:
    """The administrator's way to the shared cluster."""
    return Kube(cluster.kubeconfig, cluster.context)


@pytest.fixture(scope="session")
def opened(cluster: Access, client: Kube) -> Callable[..., AbstractContextManager[Place]]:
    """Open a namespace, with labels if any are given, for a `with` block."""
    numbers = itertools.count(1)

    @contextmanager
    def open_place(labels: Mapping[str, str] | None = None) -> Iterator[Place]:
        place = Place(client, f"test-{next(numbers)}", cluster.inventory["vantage_image"])
        place.open(labels or {})
        yield place
        place.close()

    return open_place


@pytest.fixture
def place(opened: Callable[..., AbstractContextManager[Place]]) -> Iterator[Place]:
    """A namespace of one test."""
    with opened() as one:
        yield one


@pytest.fixture(scope="session")
def live_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A cluster with a live release, which those share that leave it as it is."""
    with deployed(tmp_path_factory.mktemp("live-site")) as site:
        yield site
