"""What is torn in a copy is named, and nothing else is."""

import shutil
from pathlib import Path

import pytest

from support.backup import integrity
from support.persistence.database import DATABASE
from support.persistence.hnsw import HEADER, IDS, LENGTHS, LEVEL_0, LINKS
from tests.unit.persistence.volume import Volume, chroma


def findings(volume: Volume) -> tuple[str, ...]:
    """Look at the data as at a copy of it that comes file by file."""

    def unpack(name: str, directory: Path) -> None:
        (directory / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(volume.data / name, directory / name)

    files = (path for path in volume.data.rglob("*") if path.is_file())
    sizes = {path.relative_to(volume.data).as_posix(): path.stat().st_size for path in files}
    scratch = volume.data.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    found = integrity.findings(sizes, unpack, scratch)
    assert not list(scratch.iterdir())
    return found


def test_a_sound_copy_gives_no_reason_to_complain(volume: Volume) -> None:
    assert findings(volume) == ()


@pytest.mark.parametrize(
    ("name", "kept", "complaint"),
    [
        (IDS, 200, "index_metadata.pickle breaks off"),
        (IDS, 0, "index_metadata.pickle breaks off"),
        (HEADER, 10, "header.bin breaks off"),
        (LEVEL_0, 15, "elements, for which data_level0.bin is too short"),
        (LENGTHS, 15, "length.bin is too short for"),
        (LINKS, 15, "link_lists.bin breaks off"),
        (LINKS, 16, "link_lists.bin breaks off"),
    ],
)
def test_what_was_torn_is_named_with_its_collection(
    volume: Volume, name: str, kept: int, complaint: str
) -> None:
    file = volume.index("by-ip") / name
    file.write_bytes(file.read_bytes()[:kept])
    (found,) = findings(volume)
    assert found.startswith("the vector index of the collection 'by-ip' does not fit together: ")
    assert complaint in found


@pytest.mark.parametrize("name", [LENGTHS, LEVEL_0, LINKS])
def test_a_missing_part_of_an_index_is_named(volume: Volume, name: str) -> None:
    (volume.index("by-l2") / name).unlink()
    assert f"{name} is missing" in findings(volume)[0]


def test_parts_of_two_moments_are_named(volume: Volume) -> None:
    """What a kill leaves between two files: each is whole, and they do not fit each other."""
    index = volume.index("by-l2")
    former = {name: (index / name).read_bytes() for name in (HEADER, LEVEL_0, LENGTHS, LINKS, IDS)}
    with chroma(volume.data) as client:
        collection = client.get_collection("by-l2")
        for begin in range(0, 200, 50):
            some = [f"more-{number}" for number in range(begin, begin + 50)]
            collection.add(ids=some, embeddings=[[number, 1, 2, 3, 4, 5] for number in range(50)])
    assert findings(volume) == ()
    later = {name: (index / name).read_bytes() for name in former}
    assert former[HEADER] != later[HEADER]
    for name, content in former.items():
        (index / name).write_bytes(content)
        if name != LENGTHS:  # which is longer, and for this metric without a meaning
            assert findings(volume), f"{name} of an earlier moment went unnoticed"
        (index / name).write_bytes(later[name])


def test_a_damaged_database_is_named(volume: Volume) -> None:
    file = volume.data / DATABASE
    file.write_bytes(file.read_bytes()[:5000])
    assert findings(volume)[0].startswith("the database chroma.sqlite3 is damaged: ")


def test_an_index_that_is_nobodys_is_no_finding(volume: Volume) -> None:
    with chroma(volume.data) as client:
        index = volume.index("by-l2")
        client.delete_collection("by-l2")
    (index / IDS).write_bytes(b"")
    assert findings(volume) == ()


def test_a_copy_without_a_database_is_worth_a_word(volume: Volume) -> None:
    (volume.data / DATABASE).unlink()
    assert "there is no chroma.sqlite3" in findings(volume)[0]
