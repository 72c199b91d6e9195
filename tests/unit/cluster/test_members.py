"""What a recipe takes of a wheel is in the image, and nothing that is not pinned by its hash."""

from __future__ import annotations

import hashlib
import json
import platform
import zipfile
from typing import TYPE_CHECKING

import pytest

from cluster.build import oci
from cluster.build.downloads import DownloadError
from cluster.build.images import PACKAGES
from cluster.build.recipes import RecipeError
from tests.unit.cluster.kitchen import PLAIN, build_text, layer

if TYPE_CHECKING:
    from pathlib import Path

    from cluster.build.cache import Store


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
