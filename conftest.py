"""Pytest wiring: the collector, the options, and the fixtures that own lifetimes."""

from __future__ import annotations

import itertools
import json
import os
import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from steps.collector import FeatureFile
from support.options import Options, add_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cluster.provider import Access
    from support.faults import Fault
    from support.inventory import Inventory
    from support.kube import Kube
    from support.namespace import Namespace
    from support.release import Release
    from support.vantage import Vantage
    from support.wait import Deadlines

pytest_plugins = [
    name
    for name in ("steps.releases", "steps.access", "steps.durability", "steps.collections", "steps.queries")
    if find_spec(name)
]


class Run:
    """What all processes of one run share: its id, its cluster, its secret."""

    def __init__(self, config: pytest.Config, handed: dict[str, Any] | None) -> None:
        self.config = config
        self.options = Options.read(config)
        handed = handed or {}
        self.id: str = handed.get("id") or secrets.token_hex(4)
        self._provider: Any = None
        self._access: Access | None = _unpack(handed["access"]) if "access" in handed else None
        self._password: str | None = handed.get("password") or os.environ.get("ADMIN_PASSWORD")
        self.namespaces: list[Namespace] = []

    def access(self) -> Access:
        if self._access is None:
            from cluster.provider import ClusterError, provider_for

            self._provider = provider_for(
                self.options.provider,
                kubeconfig=self.options.kubeconfig,
                context=self.options.context,
                recipes=self.config.rootpath / "manifests" / "images",
                progress=self.progress,
            )
            try:
                self._access = self._provider.create()
            except ClusterError as error:
                pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
        return self._access

    def inventory(self) -> Inventory:
        from support.inventory import Inventory, InventoryError

        access = self.access()
        given = {"kubeconfig": access.kubeconfig, "context": access.context, **access.inventory}
        try:
            return Inventory.load(self.options.inventory, given, {**os.environ, **self.password()})
        except InventoryError as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)

    def password(self) -> dict[str, str]:
        if self._password is None and self.options.provider == "embedded":
            self._password = secrets.token_urlsafe(24)
        return {} if self._password is None else {"ADMIN_PASSWORD": self._password}

    def progress(self, line: str) -> None:
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        capture = self.config.pluginmanager.get_plugin("capturemanager")
        if reporter and capture:
            with capture.global_and_fixture_disabled():
                reporter.write_line(f"    {line}")

    def for_worker(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "access": _pack(self.access()),
            "password": self.password().get("ADMIN_PASSWORD"),
        }

    def end(self) -> None:
        if self._provider is not None:
            self._provider.delete()
            self._provider = None


def _pack(access: Access) -> str:
    fields = {
        **vars(access),
        "kubeconfig": str(access.kubeconfig),
        "capabilities": sorted(access.capabilities),
    }
    return json.dumps(fields, default=str)


def _unpack(text: str) -> Access:
    from cluster.provider import Access

    fields = json.loads(text)
    fields["kubeconfig"] = Path(fields["kubeconfig"])
    fields["capabilities"] = frozenset(fields["capabilities"])
    fields["timings"] = tuple((stage, seconds) for stage, seconds in fields["timings"])
    return Access(**fields)


RUN = pytest.StashKey[Run]()


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    if find_spec("support.strategies"):
        from hypothesis import settings

        from support.strategies import register_profiles

        register_profiles()
        settings.load_profile(config.getoption("--hypothesis-profile") or "dev")
    handed = getattr(config, "workerinput", {}).get("chroma-conformance")
    config.stash[RUN] = Run(config, handed)


def pytest_configure_node(node: Any) -> None:
    """Hand a worker what the run shares; the first one waits for the cluster."""
    if any(_leads_to_features(Path(arg.split("::")[0])) for arg in node.config.args):
        node.workerinput["chroma-conformance"] = node.config.stash[RUN].for_worker()


def pytest_unconfigure(config: pytest.Config) -> None:
    if RUN in config.stash:
        config.stash[RUN].end()


def _leads_to_features(path: Path) -> bool:
    return path.suffix == ".feature" or (path.is_dir() and any(path.rglob("*.feature")))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".feature":
        return FeatureFile.from_parent(parent, path=file_path)
    return None


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item.parent, FeatureFile):
        item.add_marker(pytest.mark.usefixtures("capabilities"))


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest) -> Run:
    return request.config.stash[RUN]


@pytest.fixture(scope="session")
def access(run: Run) -> Access:
    return run.access()


@pytest.fixture
def capabilities(request: pytest.FixtureRequest, access: Access) -> None:
    """Skip a scenario that needs what the cluster does not have."""
    for mark in request.node.iter_markers():
        capability = mark.name.removeprefix("needs-")
        if capability != mark.name and capability not in access.capabilities:
            pytest.skip(f"the cluster {access.name} has no {capability}")


@pytest.fixture(scope="session")
def run_id(run: Run) -> str:
    return run.id


@pytest.fixture(scope="session")
def inventory(run: Run) -> Inventory:
    return run.inventory()


@pytest.fixture(scope="session")
def kube(inventory: Inventory) -> Kube:
    from support.kube import Kube

    return Kube(inventory.kubeconfig, inventory.context)


@pytest.fixture(scope="session")
def deadlines(run: Run) -> Deadlines:
    from support.wait import Deadlines

    return Deadlines().scaled(run.options.patience)


@pytest.fixture(scope="session")
def fault(run: Run) -> Fault | None:
    from support.faults import Fault

    return Fault.load(run.options.fault) if run.options.fault else None


@pytest.fixture(scope="session")
def release_under_test(run: Run) -> Release:
    from support.release import Release

    return Release.named(run.options.release)


@pytest.fixture(scope="session")
def base_name() -> str:
    """The name of this process's namespace and host: workers do not meet."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    return f"chroma-{worker}" if worker else "chroma"


@pytest.fixture(scope="session")
def namespace(
    run: Run,
    kube: Kube,
    inventory: Inventory,
    deadlines: Deadlines,
    fault: Fault | None,
    base_name: str,
    request: pytest.FixtureRequest,
) -> Iterator[Namespace]:
    from support.namespace import Namespace
    from support.render import Place

    place = Place(namespace=base_name, host=f"{base_name}.{inventory.domain_name}", run_id=None)
    space = Namespace(kube, inventory, place, deadlines, fault, run.progress)
    run.namespaces.append(space)
    yield space
    run.namespaces.remove(space)
    if run.options.roll_back == "always" or (
        run.options.roll_back == "on-failure" and request.session.testsfailed
    ):
        space.roll_back(remove_data=run.options.remove_data)


@pytest.fixture(scope="session")
def _names(run: Run, base_name: str) -> Iterator[str]:
    return (f"{base_name}-{run.id}-{number}" for number in itertools.count(1))


@pytest.fixture
def fresh_namespace(
    run: Run,
    kube: Kube,
    inventory: Inventory,
    deadlines: Deadlines,
    fault: Fault | None,
    _names: Iterator[str],
) -> Iterator[Namespace]:
    """A namespace that this scenario alone knows, and that goes with it."""
    from support.namespace import Namespace
    from support.render import Place

    name = next(_names)
    place = Place(namespace=name, host=f"{name}.{inventory.domain_name}", run_id=run.id)
    space = Namespace(kube, inventory, place, deadlines, fault, run.progress)
    run.namespaces.append(space)
    yield space
    run.namespaces.remove(space)
    kube.delete("Namespace", name)


@pytest.fixture(scope="session")
def vantage(kube: Kube, inventory: Inventory, deadlines: Deadlines) -> Iterator[Vantage]:
    from support.vantage import Vantage

    with Vantage(kube, inventory.vantage_image, deadlines) as vantage:
        yield vantage
