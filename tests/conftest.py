"""Fixtures that several checks of the suite share."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.miniature import Miniature


@pytest.fixture
def miniature(tmp_path: Path) -> Iterator[Miniature]:
    with closing(Miniature(tmp_path)) as miniature:
        yield miniature
