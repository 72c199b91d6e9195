"""Which scenarios run on which worker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

from support.release.versions import DATABASE_DELETION
from support.session.address import Address
from support.session.suite import SUITE, Suite

if TYPE_CHECKING:
    from pathlib import Path

# The step by which a scenario is about the release that the run is about.
_USES_IT: Final = re.compile(r"^\s*(?:Given|And) the live release\s*$", re.MULTILINE)
_LIVE: Final = "the live release"


class SharedReleaseScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
    """Lets one worker run all features that are about the live release, one after the other, and others the rest.

    On a cluster that somebody else has, one release is meant. Two workers on it would see what the other does to it.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return _LIVE if uses_live_release(self.config.rootpath / file) else file


def uses_live_release(feature: Path) -> bool:
    """Whether a feature file has a scenario about the live release."""
    return feature.suffix == ".feature" and bool(_USES_IT.search(feature.read_text(encoding="utf-8")))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Share the release of an existing cluster; on one of the run's own each worker has a release for itself."""
    if SUITE in config.stash and _is_shared(config.stash[SUITE]):
        return SharedReleaseScheduling(config, log)
    return None


def _is_shared(suite: Suite) -> bool:
    """Whether two workers at the release would see what the other does to it."""
    if isinstance(suite.ground, Address):
        # Without databases of their own they would share one.
        return DATABASE_DELETION not in suite.ground.endpoint.capabilities
    return suite.run.options.provider == "external"
