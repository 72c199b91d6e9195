"""What a log of writes demands of a collection afterwards, and of the claim."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from support.checks.durability import records as durability
from support.checks.durability.records import Search
from support.checks.durability.writing import WriteLog
from support.chroma import calls, samples

if TYPE_CHECKING:
    from support.chroma.types import Record

RECORDS = samples.records(4)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """What the collection holds: the first three records, unless a test says otherwise."""
    records = RECORDS[:3]
    monkeypatch.setattr(calls, "contents", lambda _: records)
    return records


COLLECTION: Any = None


def test_an_acknowledged_record_must_be_there_as_it_was_written(held: list[Record]) -> None:
    durability.assert_acknowledged(COLLECTION, WriteLog(RECORDS[:3]))
    with pytest.raises(AssertionError, match=RECORDS[3].id):
        durability.assert_acknowledged(COLLECTION, WriteLog(RECORDS[:4]))
    held[0] = replace(held[0], vector=(0.0,) * samples.DIMENSION)
    with pytest.raises(AssertionError, match=RECORDS[0].id):
        durability.assert_acknowledged(COLLECTION, WriteLog(RECORDS[:3]))


def test_an_unsure_record_may_be_there_wholly_or_not_at_all(held: list[Record]) -> None:
    durability.assert_acknowledged(COLLECTION, WriteLog(RECORDS[:3], [RECORDS[3]]))
    durability.assert_acknowledged(COLLECTION, WriteLog(RECORDS[:2], [RECORDS[2]]))
    held[2] = replace(held[2], document=None)
    with pytest.raises(AssertionError, match=RECORDS[2].id):
        durability.assert_acknowledged(COLLECTION, WriteLog(RECORDS[:2], [RECORDS[2]]))


def test_a_record_that_was_never_written_must_not_be_there(held: list[Record]) -> None:
    assert held
    with pytest.raises(AssertionError, match=RECORDS[2].id):
        durability.assert_acknowledged(COLLECTION, WriteLog(RECORDS[:2]))


@pytest.mark.parametrize("files", [(), ("notes.txt",), ("chroma.sql",)])
def test_a_record_elsewhere_is_not_on_the_claim(files: tuple[str, ...]) -> None:
    with pytest.raises(AssertionError, match="not in the database on the claim data"):
        durability.assert_database_is_there(Search("data", "", files))
    for name in ("chroma.sqlite3", "chroma.sqlite3-wal"):
        durability.assert_database_is_there(Search("data", "", (name,)))
