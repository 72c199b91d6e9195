"""A kill aimed at the moment in which Chroma writes an index loses nothing, once the data was mended before each start.

Three kills, or as many as ROUNDS says: `make kills`.
"""

import os
from pathlib import Path

import pytest

from support.persistence.empty import make
from support.persistence.mend import Outcome, mend
from tests.unit.persistence.server import lost, serving, write_and_kill

ROUNDS = int(os.environ.get("ROUNDS", "3"))


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_kill_aimed_at_the_index_loses_nothing(seed: int, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    make(data)
    with serving(data) as server:
        writers = write_and_kill(server, data, seed, persists=2 + seed % 4)
    (one,) = mend(data).collections
    assert one.outcome in {Outcome.SOUND, Outcome.REBUILT}, one.described()
    # Shown by `-rA`, or where the test fails.
    print(one.described())  # noqa: T201 - pytest keeps what tests print
    for start in ("first", "second"):
        with serving(data) as server:
            assert not lost(server, writers), f"{start} start: {one.described()}"
            server.stop()
        mend(data)
