"""The file of a backup is whole or refused, with a reason and a remedy; nothing of a draft that failed is left."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from support.backup import archive
from support.backup.archive import ArchiveError
from support.checks.backup import broken

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

IMAGE = "chroma:1.5.9"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return broken.backup(tmp_path / "chroma.tar", IMAGE)


def unpacked(pieces: Iterable[bytes]) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces)), mode="r|") as tar:
        return {member.name: content.read() for member in tar if (content := tar.extractfile(member))}


def test_what_was_taken_comes_back_and_only_its_owner_may_read_the_file(file: Path) -> None:
    whole = archive.verified(file)
    files = unpacked(whole.contents())
    assert {name: len(content) for name, content in files.items()} == {
        "chroma.sqlite3": 200_000,
        "index/header.bin": 6,
    }
    assert {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} == whole.sums
    assert (whole.manifest.chroma, whole.manifest.files, whole.manifest.bytes) == (IMAGE, 2, 200_006)
    assert file.stat().st_mode & 0o777 == 0o600


def test_common_tools_can_check_and_unpack_it(file: Path) -> None:
    subprocess.run(["tar", "-xf", str(file)], cwd=file.parent, check=True)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=file.parent, check=True)
    assert json.loads((file.parent / "manifest.json").read_text())["form"] == "chroma-conformance backup 1"


def test_one_that_somebody_has_compressed_is_read_as_well(file: Path) -> None:
    packed = file.with_suffix(".tar.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert archive.verified(packed).sums == archive.verified(file).sums
    assert unpacked(archive.verified(packed).contents()) == unpacked(archive.verified(file).contents())
    packed.write_bytes(gzip.compress(file.read_bytes())[:-2000])
    with pytest.raises(ArchiveError, match="is damaged"):
        archive.verified(packed)


@pytest.mark.parametrize("flaw", [flaw for flaw in broken.FLAWS if flaw != "is of another image"])
def test_each_flaw_is_named(flaw: str, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as refused:
        archive.verified(broken.flawed(flaw, tmp_path / "chroma.tar", IMAGE))
    assert broken.FLAWS[flaw][1] in str(refused.value)


def test_no_cut_and_no_flipped_bit_goes_unnoticed(file: Path) -> None:
    whole, size = file.read_bytes(), len(file.read_bytes())
    for at in range(0, size, size // 97):
        flipped = whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]
        for spoilt in (whole[:at], flipped):
            file.write_bytes(spoilt)
            try:
                sums = archive.verified(file).sums
            except ArchiveError:
                continue
            # What is behind the checksums, or pads a block, is no part of what was kept.
            assert unpacked(archive.verified(file).contents()).keys() == sums.keys()
            assert not any(whole[at : at + 1].strip(b"\0")), f"a flaw at byte {at} of {size} went unnoticed"


@pytest.mark.parametrize("size", [0, 1])
def test_an_empty_file_is_no_archive(size: int, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(bytes(size))
    with pytest.raises(ArchiveError, match="is no archive"):
        archive.verified(tmp_path / "empty")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot be read: No such file"):
        archive.verified(tmp_path / "none")


def test_a_file_that_is_there_is_not_replaced(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(ArchiveError, match="is there already"):
        broken.backup(file, IMAGE)
    assert file.read_bytes() == before


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot be written: No such file or directory"):
        broken.backup(tmp_path / "none" / "chroma.tar", IMAGE)


def test_nothing_is_left_of_a_draft_that_breaks_off(tmp_path: Path) -> None:
    with pytest.raises(tarfile.ReadError), archive.drafted(tmp_path / "chroma.tar") as draft:
        draft.take(io.BytesIO(unfinished()))
    assert list(tmp_path.iterdir()) == []


def unfinished() -> bytes:
    member = tarfile.TarInfo("chroma.sqlite3")
    member.size = 100_000
    return member.tobuf() + b"a little"
