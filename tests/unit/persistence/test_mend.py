"""What was acknowledged is there after a start, whatever a kill has done to the index."""

import json
import shutil
import sqlite3
import struct
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.persistence.database import DATABASE
from support.persistence.empty import make
from support.persistence.hnsw import HEADER, IDS, LEVEL_0, LINKS
from support.persistence.mend import SET_ASIDE, Mended, Outcome, mend
from tests.unit.persistence.volume import DIMENSIONS, Volume, chroma

NAMES = sorted(DIMENSIONS)


def mended(volume: Volume, *accepted: str) -> dict[str, Mended]:
    return {one.examined.collection.name: one for one in mend(volume.data, accepted).collections}


def test_sound_data_stays_as_it_is_and_its_log_is_made_whole(volume: Volume) -> None:
    first = mended(volume)
    assert {one.outcome for one in first.values()} == {Outcome.SOUND}
    assert all(first[name].put_back for name in NAMES)
    assert not any(one.put_back for one in mended(volume).values()), "the second time nothing is left to do"
    volume.assert_kept()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("gone", [IDS, HEADER, LEVEL_0, LINKS])
def test_after_one_sound_start_every_torn_index_is_rebuilt_from_the_log(
    volume: Volume, name: str, gone: str
) -> None:
    mended(volume)
    file = volume.index(name) / gone
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    second = mended(volume)
    assert second[name].outcome is Outcome.REBUILT, second[name].described()
    assert (volume.data / SET_ASIDE / volume.index(name).name).is_dir()
    volume.assert_kept()


@pytest.mark.parametrize("name", NAMES)
def test_an_index_whose_list_of_ids_is_torn_gives_its_vectors_back_though_the_log_was_purged(
    volume: Volume, name: str
) -> None:
    volume.tear(name)
    first = mended(volume)
    assert first[name].outcome is Outcome.REBUILT, first[name].described()
    assert first[name].put_back
    volume.assert_kept()


def test_what_is_lost_is_named_and_nothing_is_touched(volume: Volume) -> None:
    shutil.rmtree(volume.index("by-l2"))
    before = (volume.data / DATABASE).read_bytes()
    first = mended(volume)["by-l2"]
    assert first.outcome is Outcome.LOST
    assert "by-l2-1" in first.lost
    assert first.described()["lost"] == len(first.lost)
    # Of the database the rule for the log alone is new, and the vectors of others.
    assert len((volume.data / DATABASE).read_bytes()) >= len(before)
    assert mended(volume)["by-l2"].lost == first.lost


def test_an_accepted_loss_leaves_what_is_not_lost(volume: Volume) -> None:
    shutil.rmtree(volume.index("by-l2"))
    accepted = mended(volume, "by-l2")["by-l2"]
    assert accepted.outcome is Outcome.ACCEPTED
    assert mended(volume)["by-l2"].outcome is Outcome.SOUND
    kept = {one: v for one, v in volume.written["by-l2"].items() if one not in accepted.lost}
    assert 0 < len(kept) < len(volume.written["by-l2"])
    replace(volume, written={**volume.written, "by-l2": kept}).assert_kept()
    lines = next((volume.data / SET_ASIDE).glob("*.jsonl")).read_text().splitlines()
    assert {json.loads(line)["id"] for line in lines} == set(accepted.lost)


def test_a_kill_while_it_is_mended_is_mended(volume: Volume) -> None:
    volume.tear("by-ip")
    with closing(sqlite3.connect(volume.data / DATABASE)) as database, database:
        database.execute("DELETE FROM max_seq_id WHERE segment_id = ?", (volume.index("by-ip").name,))
    assert mended(volume)["by-ip"].outcome is Outcome.REBUILT
    volume.assert_kept()


def test_the_log_is_kept_from_the_first_start_on(volume: Volume) -> None:
    mended(volume)
    with chroma(volume.data) as client:
        collection = client.get_collection("by-l2")
        for begin in range(0, 400, 50):
            collection.upsert(
                ids=[f"new-{n}" for n in range(begin, begin + 50)],
                embeddings=[[n, 1, 2, 3, 4, 5] for n in range(50)],
            )
    with closing(sqlite3.connect(volume.data / DATABASE)) as database:
        kept = database.execute("SELECT count(*) FROM embeddings_queue WHERE id LIKE 'new-%'").fetchone()[0]
        stated = json.loads(
            database.execute("SELECT config_json_str FROM embeddings_queue_config").fetchone()[0]
        )
    assert stated["automatically_purge"] is False
    assert kept == 400


def test_directories_of_deleted_collections_go_and_no_others(volume: Volume) -> None:
    gone, others = (
        volume.index("by-l2").name,
        {volume.index(one).name for one in ("by-cosine", "by-ip", "short")},
    )
    with chroma(volume.data) as client:
        client.delete_collection("by-l2")
    (volume.data / "lost+found").mkdir()
    assert mend(volume.data).removed == (gone,)
    assert {one.name for one in volume.data.iterdir() if one.is_dir()} == {*others, "lost+found"}


def test_the_log_is_kept_from_the_first_write_on(tmp_path: Path) -> None:
    make(tmp_path)
    with chroma(tmp_path) as client:
        configuration = {"hnsw": {"sync_threshold": 100, "batch_size": 50}}
        collection = client.create_collection("new", configuration=configuration, embedding_function=None)
        for begin in range(0, 300, 50):
            collection.add(ids=[str(begin + n) for n in range(50)], embeddings=[[n, 1.0] for n in range(50)])
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database:
        assert database.execute("SELECT count(*) FROM embeddings_queue").fetchone() == (300,)
    (one,) = mend(tmp_path).collections
    assert (one.outcome, one.put_back) == (Outcome.SOUND, 0)


def test_a_log_whose_last_entry_was_left_has_room_for_the_others(tmp_path: Path) -> None:
    vectors: list[Any] = [[float(number), 1.0, 2.0] for number in range(100)]
    names = [f"one-{number}" for number in range(100)]
    with chroma(tmp_path) as client:
        configuration = {"hnsw": {"sync_threshold": 100, "batch_size": 50}}
        collection = client.create_collection("one", configuration=configuration, embedding_function=None)
        collection.add(ids=names, embeddings=vectors)
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database, database:
        # As 0.5.23 leaves it: of what the index holds it purges all but the last.
        database.execute("DELETE FROM embeddings_queue")
        database.execute(
            "INSERT INTO embeddings_queue (seq_id, operation, topic, id, vector, encoding) VALUES (100, 0, ?, ?, ?, 'FLOAT32')",
            (f"persistent://default/default/{collection.id}", names[-1], struct.pack("<3f", *vectors[-1])),
        )
    (one,) = mend(tmp_path).collections
    assert (one.outcome, one.put_back) == (Outcome.SOUND, 99)
    volume = Volume(tmp_path, {"one": dict(zip(names, vectors, strict=True))})
    volume.tear("one")
    (one,) = mend(tmp_path).collections
    assert one.outcome is Outcome.REBUILT
    volume.assert_kept()


def test_what_a_deleted_collection_had_in_lists_comes_to_no_other(volume: Volume) -> None:
    def leak() -> list[dict[str, Any]]:
        """Delete a collection whose records have lists, add others elsewhere, and return what these have that nobody gave them."""
        with chroma(volume.data) as client:
            ids = [f"list-{number}" for number in range(20)]
            vectors = [[float(number), 1.0, 2.0] for number in range(20)]
            first = client.create_collection("first", embedding_function=None)
            first.add(ids=ids, embeddings=vectors, metadatas=[{"secret": ["a", "b"]}] * 20)
            client.delete_collection("first")
            second = client.create_collection("second", embedding_function=None)
            second.add(ids=ids, embeddings=vectors, metadatas=[{"mine": 1}] * 20)
            found = second.get(include=["metadatas"])["metadatas"]
            client.delete_collection("second")
        return [one for one in found if one != {"mine": 1}]

    assert leak(), "Chroma itself keeps them apart: what is tested here is no longer needed"
    mend(volume.data)
    assert leak() == []
    mend(volume.data)
    volume.assert_kept()


def test_an_id_that_was_added_again_keeps_its_first_vector(volume: Volume) -> None:
    with chroma(volume.data) as client:
        client.get_collection("by-ip").add(ids=["by-ip-30"], embeddings=[[9.0, 9.0, 9.0]])
    mended(volume)
    volume.tear("by-ip")
    assert mended(volume)["by-ip"].outcome is Outcome.REBUILT
    volume.assert_kept()


def test_a_log_of_many_updates_is_trimmed_and_rebuilds_the_index(volume: Volume) -> None:
    mended(volume)
    written = dict(volume.written["by-l2"])
    with chroma(volume.data) as client:
        collection = client.get_collection("by-l2")
        for step in range(10):
            some = {one: [step, *vector[1:]] for one, vector in written.items()}
            (collection.upsert if step % 2 else collection.update)(
                ids=list(some), embeddings=list(some.values())
            )
            written |= some
    first = mended(volume)["by-l2"]
    assert first.trimmed > 1500, first.described()
    volume.tear("by-l2")
    assert mended(volume)["by-l2"].outcome is Outcome.REBUILT
    replace(volume, written={**volume.written, "by-l2": written}).assert_kept()
