"""The file of a backup: a tar with the copied files, a manifest, and the checksums of both as its last member.

An archive without its last member is not whole. `sha256sum --check SHA256SUMS` in an unpacked one says what a restore does.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import tempfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from support.core.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

# The form that is written and read. Another one is distinguished from a file that is no backup at all.
_FORM: Final = "chroma-conformance backup 1"
_FORMS: Final = _FORM.rpartition(" ")[0]
_DATA: Final = "data"
_MANIFEST: Final = "manifest.json"
_SUMS: Final = "SHA256SUMS"
# Bytes of a manifest or of checksums: more than any has, and no danger to the memory.
_MOST: Final = 64 * 1024 * 1024
_CHUNK: Final = 1024 * 1024
_BLOCK: Final = tarfile.BLOCKSIZE
# Whatever a file that is not whole makes of Python's modules, also one that somebody has compressed.
_BROKEN: Final = (tarfile.TarError, EOFError, zlib.error, ValueError, OSError)


class ArchiveError(SuiteError):
    """An archive that cannot be written, or must not be restored; the text says which, why, and what to do."""


class ByteSource(Protocol):
    """What bytes are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes, none at the end."""


class Manifest(BaseModel):
    """What an archive says of itself.

    `chroma` is the image that wrote the data, `bytes` the size of all its files, `findings` what was found wrong with
    the data when it was copied. `stated` is the release whose data it is, as a file would state it; archives of older
    versions of the suite have its name alone, and those of later ones may tell more than is read here.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    form: str = _FORM
    suite: str
    made: str
    namespace: str
    claim: str
    release: str
    chroma: str
    files: int
    bytes: int
    findings: tuple[str, ...] = ()
    stated: dict[str, Any] | None = None


def described(manifest: Manifest) -> str:
    """Say in a line what a backup is of, and what was found wrong with its data."""
    wrong = (
        f"; wrong with the data when it was copied: {'; '.join(manifest.findings)}"
        if manifest.findings
        else ""
    )
    return (
        f"release {manifest.release!r} ({manifest.chroma}) in {manifest.namespace}, {manifest.made}, "
        f"{manifest.files} files, {mib(manifest.bytes)}{wrong}"
    )


def mib(size: int) -> str:
    """Say how much so many bytes are."""
    return f"{size / 2**20:.1f} MiB"


class Draft:
    """An archive that is being written, under a temporary name beside its own."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = file
        self._tar = tarfile.TarFile(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)
        self._sums: dict[str, str] = {}
        self.sizes: dict[str, int] = {}

    def take(self, stream: ByteSource) -> None:
        """Write what a tar holds, as it comes."""
        with _streamed(stream) as source:
            for member in source:
                name = member.name
                member.name, member.pax_headers = f"{_DATA}/{name}", {}
                content = _Hashing(source.extractfile(member))
                self._tar.addfile(member, content)
                if member.isreg():
                    self._sums[member.name], self.sizes[name] = content.digest(), member.size
        while stream.read(_CHUNK):
            pass  # whether the sender has broken off shows at its very end

    def unpack(self, name: str, directory: Path) -> None:
        """Write one of the files taken below a directory."""
        self._file.flush()
        target = directory / name
        target.parent.mkdir(exist_ok=True)
        with tarfile.open(self._path) as tar, target.open("wb") as file:
            content = _Hashing(tar.extractfile(f"{_DATA}/{name}"))
            while chunk := content.read(_CHUNK):
                file.write(chunk)

    def seal(self, manifest: Manifest) -> None:
        """Add the manifest and the checksums, and see to it that all is on the disk."""
        text = json.dumps(manifest.model_dump(), indent=2).encode() + b"\n"
        sums = self._sums | {_MANIFEST: hashlib.sha256(text).hexdigest()}
        self._add(_MANIFEST, text)
        self._add(_SUMS, "".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode())
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())

    def _add(self, name: str, text: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(text), 0o600
        self._tar.addfile(member, BytesIO(text))


@contextmanager
def drafted(file: Path) -> Iterator[Draft]:
    """Lend a draft of an archive, which is moved to its place at the end; one that fails leaves nothing.

    Only the owner may read it. Raises an `ArchiveError` where nothing can be written, or something is there already.
    """
    if file.exists():
        raise ArchiveError(f"{file} is there already: name a file that is not, or move that one away")
    path = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        path = Path(name)
        with os.fdopen(handle, "w+b") as opened:
            yield Draft(path, opened)
        path.rename(file)
    except OSError as error:  # of this machine: what happens on the way to the cluster has errors of its own
        raise ArchiveError(
            f"{file} cannot be written: {error.strerror}; nothing of it is left: make room, or name a file in a directory "
            "that is there and may be written to"
        ) from error
    finally:
        if path:
            path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Archive:
    """An archive that is whole: `sums` are the SHA-256 of the files that it brings back, by name."""

    file: Path
    manifest: Manifest
    sums: dict[str, str]

    def contents(self) -> Iterator[bytes]:
        """Yield a tar of the files that it brings back, piece by piece."""
        with _opened(self.file) as tar:
            for member in tar:
                name = member.name.removeprefix(f"{_DATA}/")
                if name == member.name:
                    continue
                member.name, member.pax_headers = name, {}
                yield member.tobuf(tarfile.PAX_FORMAT)
                content = _Hashing(tar.extractfile(member))
                while chunk := content.read(_CHUNK):
                    yield chunk
                yield bytes(-member.size % tarfile.BLOCKSIZE)
        yield bytes(2 * tarfile.BLOCKSIZE)


def verified(file: Path) -> Archive:
    """Read a whole archive; raises an `ArchiveError` that says what is wrong with it."""
    sums, texts = _read(file)
    if _MANIFEST not in texts:
        if any(name.startswith(f"{_DATA}/") for name in sums):
            raise _damaged(file, "its end is missing, so it was cut short")
        raise ArchiveError(f"{file} is a tar, but no backup of this suite: it has no {_MANIFEST}")
    described = _parsed(file, texts[_MANIFEST])
    if _SUMS not in texts:
        raise _damaged(file, "its end is missing, so it was cut short")
    listed = _listed(texts[_SUMS].decode("utf-8", "replace"))
    for name in sums.keys() | listed.keys():
        if sums.get(name) != listed.get(name):
            raise _damaged(file, f"{name} is not what was written")
    try:
        manifest = Manifest.model_validate(described)
    except ValidationError as error:
        raise ArchiveError(f"{file} is no backup of this suite: {_MANIFEST}: {error}") from None
    del sums[_MANIFEST]
    return Archive(file, manifest, {name.removeprefix(f"{_DATA}/"): digest for name, digest in sums.items()})


def sums_of(stream: ByteSource) -> dict[str, str]:
    """Return the SHA-256 of each file in a tar, by its name."""
    sums = {}
    with _streamed(stream) as tar:
        for member in tar:
            if member.isreg():
                sums[member.name] = _Hashing(tar.extractfile(member)).digest()
    while stream.read(_CHUNK):
        pass
    return sums


def _parsed(file: Path, manifest: bytes) -> dict[str, Any]:
    """Return what a manifest tells; raises an `ArchiveError` where it is not of the form that is read here."""
    try:
        fields: dict[str, Any] = json.loads(manifest)
        form, suite = str(fields["form"]), fields.get("suite", "which it does not tell")
    except (ValueError, TypeError, AttributeError, KeyError):
        raise _damaged(file, f"its {_MANIFEST} cannot be read") from None
    if form != _FORM and form.startswith(_FORMS):
        raise ArchiveError(
            f"{file} has another form ({form}) than this version of the suite reads ({_FORM}): "
            f"restore it with the version that wrote it, {suite}"
        )
    return fields


def _read(file: Path) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return the SHA-256 of each file in an archive, and the text of those that are about the others."""
    sums: dict[str, str] = {}
    texts: dict[str, bytes] = {}
    begun = False
    try:
        with _opened(file) as tar:
            for member in tar:
                _refuse_what_leads_astray(file, member)
                begun = True
                if member.isdir():
                    continue
                if member.name in sums:
                    raise _damaged(file, f"{member.name} is there twice")
                content = _Hashing(tar.extractfile(member))
                if member.name in {_MANIFEST, _SUMS} and member.size <= _MOST:
                    texts[member.name] = content.read(member.size)
                sums[member.name] = content.digest()
    except _BROKEN as error:
        if begun:
            raise _damaged(file, f"it breaks off: {error}") from error
        raise ArchiveError(f"{file} is no archive: {error}") from error
    sums.pop(_SUMS, None)
    return sums, texts


def _streamed(stream: ByteSource) -> tarfile.TarFile:
    return tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|", bufsize=_CHUNK)


def _opened(file: Path) -> tarfile.TarFile:
    """Open an archive, also one that somebody has compressed."""
    try:
        return tarfile.open(file, mode="r|*", bufsize=_CHUNK)
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise ArchiveError(f"{file} cannot be read: {error.strerror}") from error


def _refuse_what_leads_astray(file: Path, member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise ArchiveError(f"{file} is not restored: it holds {member.name}, which leads out of the claim")
    if not (member.isreg() or member.isdir()):
        raise ArchiveError(
            f"{file} is not restored: it holds {member.name}, which is neither a file nor a directory"
        )


def _listed(text: str) -> dict[str, str]:
    return {name: digest for digest, _, name in (line.partition("  ") for line in text.splitlines())}


def _damaged(file: Path, how: str) -> ArchiveError:
    return ArchiveError(f"{file} is damaged: {how}; nothing was touched, restore another backup")


class _Hashing:
    """Reads on behalf of somebody else, and keeps the SHA-256 of what was read."""

    def __init__(self, source: IO[bytes] | None) -> None:
        self._source = source or BytesIO()
        self._sum = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._source.read(size)
        self._sum.update(chunk)
        return chunk

    def digest(self) -> str:
        """Return the sum of all that there is, read or not."""
        while self.read(_CHUNK):
            pass
        return self._sum.hexdigest()
