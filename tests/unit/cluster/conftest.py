"""An empty store, and a directory with a tiny recipe."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING

import pytest

from cluster.build.cache import Store
from cluster.build.progress import Timings
from tests.unit.cluster.kitchen import TINY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Yield an empty store that tells nobody what it does."""
    with contextlib.closing(Store(tmp_path / "store", Timings(io.StringIO()))) as store:
        yield store


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    """Give a directory with the tiny recipe and what goes into its image."""
    directory = tmp_path / "kitchen"
    directory.mkdir()
    (directory / "tiny.yaml").write_text(TINY)
    (directory / "hello.txt").write_text("hello\n")
    (directory / "program").write_bytes(b"\x7fELF")
    return directory
