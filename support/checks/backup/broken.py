"""Backups of data that no Chroma wrote: whole ones, and such as must not be restored, with what is said of each flaw."""

from __future__ import annotations

import io
import random
import tarfile
from typing import TYPE_CHECKING, Final

from support.backup import archive
from support.backup.archive import Manifest
from support.core.component import CLAIM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# Bytes of the one large file in a backup that is made up.
_SIZE: Final = 200_000


def backup(file: Path, image: str, size: int = _SIZE) -> Path:
    """Write a backup that is whole, of data that no Chroma wrote: `size` bytes of noise; return where it is."""
    noise = random.Random(size).randbytes(size)  # noqa: S311 - the same every time, no secret
    with archive.drafted(file) as draft:
        draft.take(io.BytesIO(tar({"chroma.sqlite3": noise, "index/header.bin": b"header"})))
        draft.seal(
            Manifest(
                suite="0.1.0",
                made="2025-01-01T00:00:00+00:00",
                namespace="chroma",
                claim=CLAIM,
                release="gateway",
                chroma=image,
                files=len(draft.sizes),
                bytes=sum(draft.sizes.values()),
            )
        )
    return file


def flawed(flaw: str, file: Path, image: str) -> Path:
    """Write a backup with a flaw and return where it is."""
    spoil, _ = FLAWS[flaw]
    image = f"{image}-another" if flaw == "is of another image" else image
    file.write_bytes(spoil(backup(file.with_suffix(".whole"), image).read_bytes()))
    return file


def _cut_short(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _bit_flipped(whole: bytes) -> bytes:
    at = len(whole) // 2
    return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]


def _no_archive(_whole: bytes) -> bytes:
    return b"id,document\n1,a note\n" * 1000


def _another_kind(_whole: bytes) -> bytes:
    return tar({"chroma-backup/chroma.sqlite3": b"copied by hand"})


def _another_form(whole: bytes) -> bytes:
    return whole.replace(b'"chroma-conformance backup 1"', b'"chroma-conformance backup 2"')


def _leads_out(_whole: bytes) -> bytes:
    return tar({"data/../../etc/passwd": b"root::0:0:::"})


def _holds_link(_whole: bytes) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as opened:
        link = tarfile.TarInfo("data/index")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        opened.addfile(link)
    return target.getvalue()


def _another_image(whole: bytes) -> bytes:
    return whole


# What is done to a whole backup, and a phrase of what is said about the outcome; the words are those of the feature.
FLAWS: Final[Mapping[str, tuple[Callable[[bytes], bytes], str]]] = {
    "is truncated": (_cut_short, "it breaks off"),
    "has a flipped bit": (_bit_flipped, "is not what was written"),
    "is not an archive": (_no_archive, "is no archive"),
    "is another kind of archive": (_another_kind, "is a tar, but no backup of this suite"),
    "has an unknown format version": (_another_form, "restore it with the version that wrote it"),
    "contains a path outside the claim": (_leads_out, "leads out of the claim"),
    "contains a link": (_holds_link, "neither a file nor a directory"),
    "is of another image": (_another_image, "restore it with a release that runs"),
}


def tar(files: Mapping[str, bytes]) -> bytes:
    """Return a tar of files, given by their names."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as opened:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return target.getvalue()
