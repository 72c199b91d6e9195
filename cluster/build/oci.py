"""Writes OCI image layouts whose bytes depend on nothing but what goes into them."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import PurePosixPath

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"

BLOBS = Path("blobs/sha256")  # in every layout

# As Go calls them, by their names in Linux; where both have one name, it needs no line.
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


@dataclass(frozen=True)
class Entry:
    """A file of the layer, a link where there is a `target`, or, with neither, an empty directory.

    `path` is absolute; `owner` is (uid, gid); `content` opens a stream of exactly `size` bytes.
    """

    path: PurePosixPath
    mode: int
    owner: tuple[int, int] = (0, 0)
    size: int = 0
    content: Callable[[], IO[bytes]] | None = None
    target: str = ""


class _Hashing:
    """A stream that remembers the SHA-256 and the length of what was written to it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size += len(data)
        return self._stream.write(data)

    @property
    def hex(self) -> str:
        return self._hash.hexdigest()


def machine() -> str:
    """Name this machine's architecture as Linux does: x86_64, aarch64."""
    return platform.machine()


def architecture() -> str:
    """Name this machine's architecture as the image specification does: amd64, arm64."""
    return _ARCHITECTURES.get(machine(), machine())


def write_layer(directory: Path, entries: Iterable[Entry]) -> dict[str, Any]:
    """Write one uncompressed layer to `directory` under the name of its digest; give its descriptor.

    Directories that no entry names belong to root, mode 0755.
    """
    unnamed = directory / "layer"
    with unnamed.open("wb") as stream:
        hashing = _Hashing(stream)
        # A file object for tarfile's stream mode needs no more than write().
        with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.GNU_FORMAT) as tar:  # type: ignore[call-overload]  # see above
            for entry in _with_parents(entries):
                _add(tar, entry)
    unnamed.rename(directory / hashing.hex)
    return _descriptor(LAYER_TYPE, hashing.hex, hashing.size)


def write_layout(
    directory: Path,
    layers: Sequence[tuple[Mapping[str, Any], Path]],
    config: Mapping[str, Any],
    annotations: Mapping[str, str],
) -> str:
    """Write an image as an OCI layout; give the digest of its manifest.

    Each of the layers, the lowest first, is described and lies in a directory; it is shared with the layout by a hard link.
    `config` is the `config` object of the image specification; `annotations` go to the index, where importers look for the
    image's name.
    """
    blobs = directory / BLOBS
    blobs.mkdir(parents=True)
    for layer, place in layers:
        name = layer["digest"].removeprefix("sha256:")
        _share(place / name, blobs / name)
    image = {
        "architecture": architecture(),
        "os": "linux",
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer, _ in layers]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _write_json(blobs, CONFIG_TYPE, image),
        "layers": [dict(layer) for layer, _ in layers],
    }
    described = _write_json(blobs, MANIFEST_TYPE, manifest)
    digest: str = described["digest"]
    write_index(directory, [{**described, "annotations": dict(annotations)}])
    return digest


def config(directory: Path, digest: str) -> dict[str, Any]:
    """Give the `config` object of the image in a layout whose manifest has this digest."""
    manifest = json.loads(blob(directory, digest).read_bytes())
    image = json.loads(blob(directory, manifest["config"]["digest"]).read_bytes())
    found: dict[str, Any] = image["config"]
    return found


def write_index(directory: Path, manifests: list[dict[str, Any]]) -> None:
    """Make `directory` an OCI layout that lists the described manifests; their blobs are the caller's."""
    (directory / "oci-layout").write_bytes(_canonical({"imageLayoutVersion": "1.0.0"}))
    (directory / "index.json").write_bytes(_canonical({"schemaVersion": 2, "manifests": manifests}))


def read_index(directory: Path) -> list[dict[str, Any]]:
    """Give the descriptors of the manifests that a layout lists."""
    manifests: list[dict[str, Any]] = json.loads((directory / "index.json").read_bytes())["manifests"]
    return manifests


def blob(directory: Path, digest: str) -> Path:
    """Give the file of a layout that holds the blob with this digest (sha256:…)."""
    return directory / BLOBS / digest.removeprefix("sha256:")


def _share(file: Path, link: Path) -> None:
    try:
        os.link(file, link)
    except OSError:  # a file system that knows no hard links
        shutil.copyfile(file, link)


def _with_parents(entries: Iterable[Entry]) -> list[Entry]:
    known = {entry.path: entry for entry in entries}
    for path in list(known):
        for parent in path.parents[:-1]:  # the last one is the root
            known.setdefault(parent, Entry(path=parent, mode=0o755))
    return [known[path] for path in sorted(known)]


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    info = tarfile.TarInfo(str(entry.path).lstrip("/"))
    info.mode = entry.mode
    info.uid, info.gid = entry.owner
    if entry.target:
        info.type, info.linkname = tarfile.SYMTYPE, entry.target
        tar.addfile(info)
        return
    if entry.content is None:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
        return
    info.size = entry.size
    with entry.content() as content:
        tar.addfile(info, content)


def _write_json(blobs: Path, media_type: str, value: Mapping[str, Any]) -> dict[str, Any]:
    data = _canonical(value)
    name = hashlib.sha256(data).hexdigest()
    (blobs / name).write_bytes(data)
    return _descriptor(media_type, name, len(data))


def _descriptor(media_type: str, name: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{name}", "size": size}


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
