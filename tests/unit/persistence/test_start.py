"""What a release says of its volume before it starts, and when it does not start."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from support.persistence.database import DATABASE
from support.persistence.hnsw import LEVEL_0
from support.persistence.start import look
from tests.unit.persistence.volume import Volume


def lines(told: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in told.splitlines()]


def test_an_empty_volume_gets_its_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert look(str(tmp_path)) == []
    (summed,) = lines(capsys.readouterr().out)
    assert summed.pop("seconds") < 10
    assert summed == {"collections": 0, "records": 0}
    assert (tmp_path / DATABASE).exists()
    assert look(str(tmp_path)) == [], "the next start finds it there"


def test_each_collection_has_a_line_and_all_of_them_a_sum(
    volume: Volume, capsys: pytest.CaptureFixture[str]
) -> None:
    look(str(volume.data))
    capsys.readouterr()
    volume.tear("by-l2")
    assert look(str(volume.data))
    *each, summed = lines(capsys.readouterr().out)
    assert {one["collection"]: one["outcome"] for one in each} == {
        name: "rebuilt" if name == "by-l2" else "sound" for name in volume.written
    }
    assert summed["rebuilt"] == 1
    assert summed["records"] == sum(map(len, volume.written.values()))
    volume.assert_kept()


def test_a_start_that_would_lose_vectors_is_refused_and_says_what_to_do(
    volume: Volume, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    volume.tear("by-l2")
    (volume.index("by-l2") / LEVEL_0).unlink()
    message = tmp_path / "message"
    assert look(str(volume.data), message=message) is None
    said = message.read_text()
    assert capsys.readouterr().out.splitlines()[-1] == said
    assert 'collection "by-l2" (default_tenant/default_database): its index is torn' in said
    assert "restore a backup, or give these records up: --set chroma.environment.ACCEPT_LOSS_OF=by-l2" in said
    assert look(str(volume.data), ["by-l2"], message)
    assert lines(capsys.readouterr().out)[-1]["given_up"] > 0


def test_a_damaged_database_is_refused(volume: Volume, tmp_path: Path) -> None:
    file = volume.data / DATABASE
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    message = tmp_path / "message"
    assert look(str(volume.data), message=message) is None
    assert "the database is damaged (" in message.read_text()
    shutil.rmtree(volume.data)
