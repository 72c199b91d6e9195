"""Checks of the image builder: the same recipe gives the same bytes, and nothing unpinned gets in."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cluster.build import oci
from cluster.build.cache import Store
from cluster.build.downloads import DownloadError
from cluster.build.images import PACKAGES, Image, ensure_images
from cluster.build.progress import Timings
from cluster.build.recipes import Recipe, RecipeError
from cluster.build.seed import SeedError, ensure_seed, lay_seed

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[3]
RECIPES = sorted([*CHECKOUT.glob("cluster/build/images/*.yaml"), *CHECKOUT.glob("manifests/images/*.yaml")])

TINY = """
name: library/tiny
tag: "1"
files:
  - path: /opt/tiny/hello
    source: hello.txt
  - path: /bin/tool
    program: tool
    mode: "0755"
  - path: /etc/passwd
    text: |
      tiny:x:1000:1000::/:/bin/tool
    owner: "7:8"
directories:
  - path: /data
    owner: "1000:1000"
  - path: /tmp
    mode: "1777"
user: "1000:1000"
working_directory: /data
environment:
  PATH: /bin
entrypoint: [/bin/tool, run]
command: [/etc/config]
stop_signal: SIGUSR1
ports: [8000]
"""

PLAIN = """
name: plain
tag: "1"
user: "0:0"
entrypoint: [/x]
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Yield an empty store that tells nobody what it does."""
    with contextlib.closing(Store(tmp_path / "store", Timings(io.StringIO()))) as store:
        yield store


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    """Give a directory with the tiny recipe and what goes into its image."""
    directory = tmp_path / "kitchen"
    directory.mkdir()
    (directory / "tiny.yaml").write_text(TINY)
    (directory / "hello.txt").write_text("hello\n")
    (directory / "program").write_bytes(b"\x7fELF")
    return directory


def build(store: Store, kitchen: Path) -> Image:
    (image,) = ensure_images(store, [kitchen / "tiny.yaml"], {"tool": kitchen / "program"})
    return image


def build_text(store: Store, directory: Path, recipe: str) -> Image:
    file = directory / "recipe.yaml"
    file.write_text(recipe)
    (image,) = ensure_images(store, [file], {})
    return image


def blob_json(image: Image, digest: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(oci.blob(image.layout, digest).read_bytes())
    return value


def layer(image: Image) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    described = blob_json(image, image.digest)["layers"][0]
    with tarfile.open(oci.blob(image.layout, described["digest"])) as tar:
        return {
            member.name: (member, stream.read() if (stream := tar.extractfile(member)) else b"")
            for member in tar
        }


def test_the_image_holds_what_the_recipe_says(store: Store, kitchen: Path) -> None:
    found = layer(build(store, kitchen))
    assert list(found) == [
        "bin",
        "bin/tool",
        "data",
        "etc",
        "etc/passwd",
        "opt",
        "opt/tiny",
        "opt/tiny/hello",
        "tmp",
    ]
    contents = {name: data for name, (member, data) in found.items() if member.isfile()}
    assert contents == {
        "bin/tool": b"\x7fELF",
        "etc/passwd": b"tiny:x:1000:1000::/:/bin/tool\n",
        "opt/tiny/hello": b"hello\n",
    }
    modes = {name: member.mode for name, (member, _) in found.items()}
    assert modes["bin/tool"] == 0o755
    assert modes["opt/tiny/hello"] == 0o644
    assert modes["opt/tiny"] == 0o755
    assert modes["tmp"] == 0o1777
    owners = {name: (member.uid, member.gid) for name, (member, _) in found.items()}
    assert owners["data"] == (1000, 1000)
    assert owners["etc/passwd"] == (7, 8)
    assert owners["opt"] == (0, 0)


def test_the_image_is_run_as_the_recipe_says(store: Store, kitchen: Path) -> None:
    image = build(store, kitchen)
    assert (image.name, image.tag, image.local_name) == ("library/tiny", "1", "localhost/library/tiny:1")
    config = blob_json(image, blob_json(image, image.digest)["config"]["digest"])["config"]
    assert config == {
        "Labels": {
            "org.opencontainers.image.title": "library/tiny",
            "org.opencontainers.image.version": "1",
        },
        "User": "1000:1000",
        "Entrypoint": ["/bin/tool", "run"],
        "Cmd": ["/etc/config"],
        "Env": ["PATH=/bin"],
        "WorkingDir": "/data",
        "StopSignal": "SIGUSR1",
        "ExposedPorts": {"8000/tcp": {}},
    }


def test_every_blob_is_what_its_name_says(store: Store, kitchen: Path) -> None:
    image = build(store, kitchen)
    blobs = list((image.layout / oci.BLOBS).iterdir())
    assert len(blobs) == 3  # layer, configuration, manifest
    for blob in blobs:
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
    manifest = blob_json(image, image.digest)
    diff_ids = blob_json(image, manifest["config"]["digest"])["rootfs"]["diff_ids"]
    assert diff_ids == [described["digest"] for described in manifest["layers"]]
    for described in [manifest["config"], *manifest["layers"]]:
        assert oci.blob(image.layout, described["digest"]).stat().st_size == described["size"]


def test_building_again_elsewhere_gives_the_same_digest(store: Store, kitchen: Path, tmp_path: Path) -> None:
    first = build(store, kitchen)
    other = tmp_path / "other"
    shutil.copytree(kitchen, other)
    for file in other.iterdir():
        os.utime(file, (1, 1))
        file.chmod(0o600)
    umask = os.umask(0o077)
    try:
        with contextlib.closing(Store(tmp_path / "other-store", Timings(io.StringIO()))) as other_store:
            second = build(other_store, other)
    finally:
        os.umask(umask)
    assert second.layout != first.layout
    assert second.digest == first.digest


def test_a_built_image_is_not_built_again(
    store: Store, kitchen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(store, kitchen)
    monkeypatch.setattr(oci, "write_layer", None)
    monkeypatch.setattr(oci, "write_layout", None)
    monkeypatch.setattr(subprocess, "run", None)
    assert build(store, kitchen) == first


@pytest.mark.parametrize("changed", ["hello.txt", "program"])
def test_a_changed_file_gives_another_image(store: Store, kitchen: Path, changed: str) -> None:
    first = build(store, kitchen)
    (kitchen / changed).write_text("something else")
    second = build(store, kitchen)
    assert second.digest != first.digest
    assert second.layout != first.layout


BAD = {
    "unknown field": ("tag: '1'\nlayers: []\n", "layers: Extra inputs are not permitted"),
    "missing field": ("", "tag: Field required"),
    "number as tag": ("tag: 1\n", "tag: Input should be a valid string"),
    "two origins": (
        "tag: '1'\nfiles: [{path: /a, text: a, source: b}]\n",
        "files.0: Value error, a file has exactly one of text, source and program",
    ),
    "no origin": (
        "tag: '1'\nfiles: [{path: /a}]\n",
        "files.0: Value error, a file has exactly one of text, source and program",
    ),
    "relative path": ("tag: '1'\nfiles: [{path: a, text: a}]\n", "files.0.path: Value error, a path in an"),
    "path upwards": ("tag: '1'\nfiles: [{path: /a/../b, text: a}]\n", "files.0.path: Value error, a path in"),
    "decimal mode": ("tag: '1'\nfiles: [{path: /a, text: a, mode: 755}]\n", "files.0.mode: Input should be"),
    "short mode": (
        "tag: '1'\nfiles: [{path: /a, text: a, mode: '9'}]\n",
        "files.0.mode: String should match",
    ),
    "path twice": (
        "tag: '1'\nfiles: [{path: /a, text: a}]\ndirectories: [{path: /a}]\n",
        "recipe: Value error, given more than once: /a",
    ),
    "file as directory": (
        "tag: '1'\nfiles: [{path: /a, text: a}, {path: /a/b, text: b}]\n",
        "recipe: Value error, a file and something below it: /a",
    ),
    "no hash": (
        "tag: '1'\nwheels: [{package: x, version: '1', take: [{member: m, path: /m}]}]\n",
        "wheels.0.sha256: Field required",
    ),
    "nothing taken": (
        "tag: '1'\nwheels: [{package: x, version: '1', sha256: {x86_64: " + "0" * 64 + "}, take: []}]\n",
        "wheels.0.take: List should have at least 1 item",
    ),
    "no package": ("tag: '1'\ndistribution: {packages: []}\n", "distribution.packages: List should have"),
    "package of another form": (
        "tag: '1'\ndistribution: {packages: ['libssl3, zlib1g']}\n",
        "distribution.packages.0: String should match",
    ),
    "pattern of everything": (
        "tag: '1'\ndistribution: {packages: [x1], take: ['*']}\n",
        "distribution.take.0: Value error, a pattern of the distribution's files begins with /usr/ or /etc/",
    ),
    "not YAML": ("tag: [\n", "is not YAML"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_recipe_is_refused_with_file_and_field(store: Store, tmp_path: Path, case: str) -> None:
    lines, message = BAD[case]
    recipe = PLAIN.replace('tag: "1"\n', lines)
    with pytest.raises(RecipeError) as caught:
        build_text(store, tmp_path, recipe)
    assert f"{tmp_path}/recipe.yaml" in str(caught.value)
    assert message in str(caught.value)


def test_everything_wrong_with_a_recipe_is_told_at_once(store: Store, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        build_text(store, tmp_path, "name: UPPER\nuser: root\n")
    assert all(f"\n  {field}: " in str(caught.value) for field in ("name", "tag", "user", "entrypoint"))


def test_an_unknown_program_is_refused(store: Store, kitchen: Path) -> None:
    with pytest.raises(RecipeError, match=r"there is no program 'tool' \(there are: other\)"):
        ensure_images(store, [kitchen / "tiny.yaml"], {"other": kitchen / "program"})


def test_a_missing_neighbour_is_refused(store: Store, kitchen: Path) -> None:
    (kitchen / "hello.txt").unlink()
    with pytest.raises(RecipeError, match=r"no such file: .*/hello\.txt"):
        build(store, kitchen)


def test_nothing_is_built_when_one_recipe_is_wrong(store: Store, kitchen: Path) -> None:
    with pytest.raises(RecipeError, match="No such file"):
        ensure_images(store, [kitchen / "tiny.yaml", kitchen / "absent.yaml"], {"tool": kitchen / "program"})
    assert not (store.root / "image").exists()
    assert not (store.root / "layer").exists()


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_the_recipes_of_the_project_are_right(file: Path) -> None:
    recipe = Recipe.load(file)
    assert not recipe.user.startswith("0:")
    for item in recipe.files:
        assert item.source is None or (file.parent / item.source).is_file()


# ---------------------------------------------------------------- packages, from an index on disk


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Serve pip one wheel from a directory; give the wheel's SHA-256."""
    directory = tmp_path / "index"
    directory.mkdir()
    wheel = directory / "leaf-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("leaf/native.so", "native code")
        archive.writestr("leaf-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: leaf\nVersion: 1.0\n")
        archive.writestr("leaf-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("leaf-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def wheel_recipe(sha256: str, member: str = "leaf/native.so") -> str:
    return f"""{PLAIN}
wheels:
  - package: leaf
    version: "1.0"
    sha256: {{{platform.machine()}: {sha256}}}
    take:
      - member: {member}
        path: /opt/native.so
        mode: "0755"
"""


def test_members_of_a_pinned_wheel_are_taken(store: Store, tmp_path: Path, index: str) -> None:
    image = build_text(store, tmp_path, wheel_recipe(index))
    member, data = layer(image)["opt/native.so"]
    assert (data, member.mode) == (b"native code", 0o755)
    # The wheel itself is not kept.
    assert not list(store.root.rglob("*.whl"))


def lock_recipe(directory: Path, *hashes: str) -> str:
    pins = " ".join(f"--hash=sha256:{one}" for one in hashes)
    (directory / "leaf.lock").write_text(f"# of a test\nleaf==1.0 {pins}\n")
    return f"{PLAIN}installed: [{{lock: leaf.lock, path: /opt}}]\n"


def test_a_locked_wheel_is_the_one_of_this_machine(store: Store, tmp_path: Path, index: str) -> None:
    image = build_text(store, tmp_path, lock_recipe(tmp_path, "f" * 64, index))
    assert "opt/leaf/native.so" in layer(image)
    (made_of,) = json.loads(oci.config(image.layout, image.digest)["Labels"][PACKAGES])
    assert made_of == {"name": "leaf", "version": "1.0", "sha256": index}


def test_a_locked_wheel_that_is_for_no_such_machine_is_refused(
    store: Store, tmp_path: Path, index: str
) -> None:
    del index
    with pytest.raises(DownloadError, match=r"recipe\.yaml: the wheels of leaf\.lock cannot be had"):
        build_text(store, tmp_path, lock_recipe(tmp_path, "f" * 64))


def test_a_wheel_with_another_hash_is_refused(store: Store, tmp_path: Path, index: str) -> None:
    wrong = "f" * 64
    with pytest.raises(DownloadError) as caught:
        build_text(store, tmp_path, wheel_recipe(wrong))
    assert f"recipe.yaml: the wheel leaf 1.0 with SHA-256 {wrong} cannot be had" in str(caught.value)
    assert index in str(caught.value)  # what it is instead
    assert not list((store.root / "layer").iterdir())


def test_a_member_that_the_wheel_does_not_have_is_refused(store: Store, tmp_path: Path, index: str) -> None:
    with pytest.raises(RecipeError, match=r"recipe\.yaml: the wheel leaf 1\.0 has no member leaf/absent"):
        build_text(store, tmp_path, wheel_recipe(index, "leaf/absent"))


# ---------------------------------------------------------------- the seed


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
