"""Checks of the image builder: the same recipe gives the same bytes, and nothing unpinned gets in."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cluster.build import oci
from cluster.build.cache import Store
from cluster.build.images import ensure_images
from cluster.build.progress import Timings
from cluster.build.recipes import Recipe, RecipeError
from tests.unit.cluster.kitchen import PLAIN, blob_json, build, build_text, layer

CHECKOUT = Path(__file__).parents[3]
RECIPES = sorted([*CHECKOUT.glob("cluster/build/images/*.yaml"), *CHECKOUT.glob("manifests/images/*.yaml")])


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
