"""The seed holds the system images unpacked, is shared, and fails in words."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster.build import oci
from cluster.build.seed import SeedError, ensure_seed, lay_seed
from tests.unit.cluster.kitchen import build

if TYPE_CHECKING:
    from cluster.build.cache import Store

CHECKOUT = Path(__file__).parents[3]

needs_containerd = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("containerd") is None, reason="containerd imports images as root only"
)


@needs_containerd
def test_a_seed_has_the_images_and_is_shared_by_roots(store: Store, kitchen: Path, tmp_path: Path) -> None:
    mounts = Path("/proc/self/mountinfo").read_text()
    image = build(store, kitchen)
    seed = ensure_seed(store, [image])
    assert ensure_seed(store, [image]) == seed
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert f'root = "{seed.parent}' not in _running_commands()

    root = tmp_path / "root"
    lay_seed(seed, root)
    unpacked = list(root.glob("io.containerd.snapshotter.v1.overlayfs/snapshots/*/fs/opt/tiny/hello"))
    assert [file.read_text() for file in unpacked] == ["hello\n"]
    blob = next(root.glob(f"io.containerd.content.v1.content/blobs/sha256/{image.digest[7:]}"))
    assert blob.samefile(oci.blob(image.layout, image.digest))
    database = root / "io.containerd.metadata.v1.bolt/meta.db"
    assert image.local_name.encode() in database.read_bytes()
    assert not database.samefile(seed / database.relative_to(root))

    shutil.rmtree(root)
    assert ensure_seed(store, [image]) == seed
    assert list(seed.glob("io.containerd.snapshotter.v1.overlayfs/snapshots/*/fs/opt/tiny/hello"))


@needs_containerd
def test_an_import_that_fails_says_what_containerd_said(store: Store, kitchen: Path) -> None:
    image = build(store, kitchen)
    oci.blob(image.layout, image.digest).write_text("{}")
    with pytest.raises(SeedError, match="the images cannot be imported: ctr: "):
        ensure_seed(store, [image])
    assert not list((store.root / "seed").iterdir())


@needs_containerd
def test_a_killed_import_leaves_no_process(store: Store, kitchen: Path) -> None:
    image = build(store, kitchen)
    # The stream to ctr stalls, so that both programs are certainly at work.
    script = f"""
import os, sys
from pathlib import Path
from cluster.build import seed
from cluster.build.images import Image

def stall(images, out, scratch):
    print("importing", flush=True)
    sys.stdin.readline()

seed._stream = stall
seed._build([Image("tiny", "1", "", Path({str(image.layout)!r}))], Path(sys.argv[1]))
"""
    root = kitchen / "root"
    root.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", script, str(root)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"importing\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 2  # containerd and ctr
        process.kill()
    for _ in range(100):
        if not any(_runs(pid) for pid in children):
            return
        time.sleep(0.02)  # noqa: TID251 - tests of cluster/ know nothing of support
    pytest.fail(f"still there: {[pid for pid in children if _runs(pid)]}")


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _running_commands() -> str:
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return "\n".join(lines)
