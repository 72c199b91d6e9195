"""A directory of backups: the newest is restored, only the oldest go, and nothing of anybody else."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING

import pytest

from support.backup.archive import ArchiveError
from support.backup.shelf import Shelf

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime(2026, 11, 27, 3, 0, 7, tzinfo=dt.UTC)
# What lies there that is no backup of the release in namespace "chroma".
OTHERS = ("notes.txt", "chroma-b-20261120T030000Z.tar", "chroma-20261120T030000Z.tar.gz", "mine.tar")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    for name in OTHERS:
        (tmp_path / name).touch()
    return Shelf(tmp_path, "chroma")


def names(shelf: Shelf) -> set[str]:
    return {one.name for one in shelf.directory.iterdir()} - set(OTHERS)


def put(shelf: Shelf, days: int) -> Path:
    file = shelf.place(NOW - dt.timedelta(days=days))
    file.touch()
    return file


def test_a_backup_is_named_after_its_release_and_the_moment_in_utc(shelf: Shelf) -> None:
    elsewhere = NOW.astimezone(dt.timezone(dt.timedelta(hours=5)))
    assert shelf.place(elsewhere) == shelf.directory / "chroma-20261127T030007Z.tar"


def test_the_newest_is_restored(shelf: Shelf) -> None:
    put(shelf, 1), put(shelf, 30)
    newest = put(shelf, 0)
    assert shelf.newest() == newest


def test_where_there_is_none_the_name_is_told(shelf: Shelf) -> None:
    with pytest.raises(ArchiveError, match=r"no backup of namespace chroma .*: name the file"):
        shelf.newest()


@pytest.mark.parametrize(("keep", "left"), [(1, {0}), (2, {0, 1}), (9, {0, 1, 2})])
def test_only_the_oldest_go(shelf: Shelf, keep: int, left: set[int]) -> None:
    files = {days: put(shelf, days) for days in (2, 0, 1)}
    assert shelf.keep(keep, NOW) == [files[days] for days in (2, 1, 0) if days not in left]
    assert names(shelf) == {files[days].name for days in left}
    assert {one.name for one in shelf.directory.iterdir()} >= set(OTHERS)


def test_what_a_killed_backup_has_left_goes_and_what_is_being_written_stays(shelf: Shelf) -> None:
    newest = put(shelf, 0)
    drafts = [shelf.directory / f".{newest.name}.{end}" for end in ("old", "new")]
    for draft, age in zip(drafts, (dt.timedelta(days=2), dt.timedelta(minutes=5)), strict=True):
        draft.touch()
        os.utime(draft, (0, (NOW - age).timestamp()))
    assert shelf.keep(3, NOW) == drafts[:1]
    assert names(shelf) == {newest.name, drafts[1].name}


def test_a_directory_that_cannot_be_read_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"gone cannot be read: No such file or directory"):
        Shelf(tmp_path / "gone", "chroma").newest()
