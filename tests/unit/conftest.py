"""Data as Chroma leaves it on a disk, which the tests of several packages spoil, each a copy of its own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.persistence.volume import Volume


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Volume:
    from tests.unit.persistence.volume import make  # noqa: PLC0415 - with numpy, for the few who need it

    return make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def volume(made: Volume, tmp_path: Path) -> Volume:
    shutil.copytree(made.data, tmp_path / "data")
    return replace(made, data=tmp_path / "data")
