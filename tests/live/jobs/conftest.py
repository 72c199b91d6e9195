"""One cluster for all tests of Jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.jobs.job import TOKEN
from support.platform.rights import MODES
from tests.live.cluster.site import booted
from tests.live.jobs.inside import IMAGE, Inside

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A cluster of which an operator has made ready what the page tells, and nothing else."""
    directory = tmp_path_factory.mktemp("jobs")
    with booted(directory, IMAGE) as site:
        inside = Inside(site, directory)
        code, said = site.ask(site.kubeconfig, directory / "reports", "--apply")
        assert code == 0, said
        for mode in MODES:
            inside.grant(mode)
        yield inside


@pytest.fixture
def token(inside: Inside) -> Iterator[None]:
    """The Secret that tells a Job the token, as those need it that deploy."""
    given = inside.site.environ["ADMIN_PASSWORD"]
    inside.kubectl("create", "secret", "generic", TOKEN, f"--from-literal=ADMIN_PASSWORD={given}")
    yield
    inside.kubectl("delete", "secret", TOKEN)
