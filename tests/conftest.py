"""Fixtures that several checks of the suite share."""

from pathlib import Path

import pytest

from tests.miniature import Miniature


@pytest.fixture
def miniature(tmp_path: Path) -> Miniature:
    return Miniature(tmp_path)
