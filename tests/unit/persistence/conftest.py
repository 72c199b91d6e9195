"""The data that the tests of this package spoil, each a copy of its own."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.persistence.volume import Volume, make


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Volume:
    return make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def volume(made: Volume, tmp_path: Path) -> Volume:
    shutil.copytree(made.data, tmp_path / "data")
    return replace(made, data=tmp_path / "data")
