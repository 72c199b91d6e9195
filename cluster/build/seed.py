"""Keeps images as containerd has them after their import, so that a boot imports nothing."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tarfile
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from cluster.build import oci
from cluster.build.packages import SYSTEM_PATH
from cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cluster.build.cache import Store
    from cluster.build.images import Image

# Part of every seed's key: raise it when the same images are to give another seed.
FORMAT = 1

# What containerd keeps of images, below its root: two databases, the blobs, the unpacked layers.
_METADATA = Path("io.containerd.metadata.v1.bolt")
_DATABASES = (_METADATA / "meta.db", Path("io.containerd.snapshotter.v1.overlayfs/metadata.db"))
_BLOBS = Path("io.containerd.content.v1.content/blobs/sha256")
_SNAPSHOTS = Path("io.containerd.snapshotter.v1.overlayfs/snapshots")
_KEPT = {path.parts[0] for path in (*_DATABASES, _BLOBS, _SNAPSHOTS)}

_SOCKET = "/run/containerd.sock"
_START = 20.0  # seconds; it takes 0.3 on an idle machine
_LOOK = 0.02  # seconds between two looks
# Before a command: it dies with this process, whatever ends that.
_MORTAL = ("setpriv", "--pdeathsig", "KILL")


class SeedError(ClusterError):
    """Images cannot be imported; the text holds what containerd said."""


def ensure_seed(store: Store, images: Sequence[Image]) -> Path:
    """Import images into a containerd root of their own, once; `lay_seed` gives them to a node.

    There they have their local names. Raises SeedError.
    """
    facts = [FORMAT, _containerd_identity(), sorted((image.local_name, image.digest) for image in images)]
    return store.entry("seed", json.dumps(facts), "image seed", partial(_build, images))


def lay_seed(seed: Path, root: Path) -> None:
    """Make `root` a containerd root that has the seed's images, in milliseconds and without their bytes.

    The databases are copied, since containerd writes them. Blobs become hard links (copies on another
    file system), layers become symbolic links: containerd only reads either, and on removal drops the link.
    The seed has to stay visible under its path as long as the root is in use.
    """
    for database in _DATABASES:
        (root / database).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(seed / database, root / database)
    link_blobs(seed / _BLOBS, root / _BLOBS)
    (root / _SNAPSHOTS).mkdir()
    for layer in (seed / _SNAPSHOTS).iterdir():
        (root / _SNAPSHOTS / layer.name).symlink_to(layer)


def link_blobs(source: Path, target: Path) -> None:
    """Let a directory of blobs hold all those of another, by hard links where the file system allows.

    Nobody writes to a blob, so that sharing it is safe. What is there already stays.
    """
    target.mkdir(parents=True, exist_ok=True)
    for blob in source.iterdir():
        if (target / blob.name).exists():
            continue
        try:
            os.link(blob, target / blob.name)
        except OSError:  # another file system, or one without hard links
            shutil.copyfile(blob, target / blob.name)


def _containerd_identity() -> list[int | str]:
    """Tell one containerd from another without running it: a newer one may write other databases."""
    program = shutil.which("containerd", path=SYSTEM_PATH)
    if program is None:
        raise SeedError(
            "images are imported with containerd, which is missing: install the package containerd"
        )
    status = Path(program).stat()
    return [program, status.st_size, status.st_mtime_ns]


def _build(images: Sequence[Image], root: Path) -> None:
    with _containerd(root) as socket:
        _import(images, socket, root / "import.log")
    for found in root.iterdir():
        if found.is_file():
            found.unlink()
        elif found.name not in _KEPT:
            shutil.rmtree(found)
    # What containerd wrote a second time is there already, in the layouts.
    # (The list of what was imported is not: containerd forgets it by and by, and may not have come to it yet.)
    for blob in (root / _BLOBS).iterdir():
        for image in images:
            origin = image.layout / oci.BLOBS / blob.name
            if origin.exists():
                blob.unlink()
                os.link(origin, blob)
                break


@contextmanager
def _containerd(root: Path) -> Iterator[Path]:
    """Run a containerd without Kubernetes' interface on `root`; give its socket as seen from here.

    In its mount namespace /run is its own, so that nothing of it lies anywhere else.
    """
    config = root / "config.toml"
    config.write_text(_config(root))
    inside = f"mount -t tmpfs run /run && exec containerd --config {shlex.quote(str(config))}"
    command = [*_MORTAL, "unshare", "--mount", "--propagation", "private"]
    log = root / "containerd.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "sh", "-c", inside],
            # containerd mounts what it unpacks below the directory for temporary files.
            env={"PATH": SYSTEM_PATH, "TMPDIR": "/run"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        # The kernel leads this path into the process's mount namespace.
        socket = Path(f"/proc/{process.pid}/root{_SOCKET}")
        end = time.monotonic() + _START
        while not socket.exists():
            if process.poll() is not None or time.monotonic() > end:
                raise SeedError(f"containerd does not start: {_end(log.read_text(errors='replace'))}")
            time.sleep(_LOOK)
        yield socket
    finally:
        process.terminate()
        try:
            process.wait(_START)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _config(root: Path) -> str:
    """Give the node's settings as far as images are concerned: where they lie, and the snapshotter."""
    return f"""version = 2
root = {json.dumps(str(root))}
state = "/run/state"
disabled_plugins = [
  "io.containerd.grpc.v1.cri",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.native",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.tracing",
  "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
  address = "{_SOCKET}"
[ttrpc]
  address = "{_SOCKET}.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "/run/opt"
"""


def _import(images: Sequence[Image], socket: Path, log: Path) -> None:
    """Give all images to containerd in one stream; each manifest brings its name with it."""
    command = [*_MORTAL, "ctr", "--address", str(socket), "--namespace", "k8s.io", "images", "import"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--snapshotter", "overlayfs", "-"],
            env={"PATH": SYSTEM_PATH},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    assert process.stdin is not None
    with process, suppress(BrokenPipeError):  # its own words tell more
        _stream(images, process.stdin, log.parent / "index")
    if process.returncode != 0:
        raise SeedError(f"the images cannot be imported: {_end(log.read_text(errors='replace'))}")


def _stream(images: Sequence[Image], out: IO[bytes], scratch: Path) -> None:
    """Write the OCI layouts of all images as one."""
    scratch.mkdir()
    oci.write_index(scratch, [manifest for image in images for manifest in oci.read_index(image.layout)])
    layers = {blob.name: blob for image in images for blob in (image.layout / oci.BLOBS).iterdir()}
    with tarfile.open(fileobj=out, mode="w|") as tar:
        for file in scratch.iterdir():
            tar.add(file, file.name)
        for name, blob in layers.items():
            tar.add(blob, str(oci.BLOBS / name))
    shutil.rmtree(scratch)


def _end(text: str) -> str:
    return " / ".join(text.strip().splitlines()[-3:])
