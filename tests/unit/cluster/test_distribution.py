"""Checks of what images take from a distribution: any version of a package, whatever it is called, and its libraries."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cluster.build import oci, sources
from cluster.build.archive import ArchiveError, architecture
from cluster.build.distribution import Missing
from cluster.build.images import PACKAGES, Image, ensure_images
from tests.debian import TOOLS, DebianArchive
from tests.unit.cluster.shell import INTERPRETER, LIBS, SHELL, TERMINAL, machine_library

if TYPE_CHECKING:
    from cluster.build.cache import Store

needs_apt = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS) or os.geteuid() != 0,
    reason="apt-get, dpkg-deb and gpg read and sign the archive of the test, as root",
)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DebianArchive:
    return DebianArchive(tmp_path / "debian", monkeypatch)


def stock(archive: DebianArchive, *, usr: str = "/usr", suffix: str = "", version: str = "1.0-1") -> None:
    """Offer a real shell, the C library and the library of terminals, as one distribution or another lays them out."""
    archive.add(
        f"libterm6{suffix}",
        version,
        {
            f"{usr}/{LIBS}/{TERMINAL}.4": machine_library(TERMINAL).read_bytes(),
            f"{usr}/{LIBS}/{TERMINAL}": f"-> {TERMINAL}.4",
        },
        depends="libc6",
    )
    archive.add(
        "libc6",
        version,
        {
            f"{usr}/{LIBS}/libc.so.6": machine_library("libc.so.6").read_bytes(),
            f"{usr}/{LIBS}/{Path(INTERPRETER).name}": Path(INTERPRETER).read_bytes(),
            f"{usr}{INTERPRETER}": f"-> /{LIBS}/{Path(INTERPRETER).name}",
        },
    )
    archive.add(
        "shell",
        version,
        {
            f"{usr}/bin/shell1.0": SHELL.read_bytes(),
            f"{usr}/bin/shell": "-> shell1.0",
            "/etc/shell/rc": "set -u\n",
        },
        depends=f"libc6 (>= 1), libterm6{suffix}, nobody-has-this | neither-this",
    )


RECIPE = """
name: library/shell
tag: "1"
distribution:
  packages: ["newer-shell | shell"]
  elsewhere: [shell-pkg]
  programs: [shell]
  take: [/etc/*/rc]
  if_there: [/usr/share/shell/*]
user: "1000:1000"
entrypoint: [/bin/shell]
"""


def build(store: Store, place: Path, recipe: str = RECIPE) -> Image:
    file = place / "shell.yaml"
    file.write_text(recipe)
    (image,) = ensure_images(store, [file], {})
    return image


def layer(image: Image) -> tarfile.TarFile:
    manifest = json.loads(oci.blob(image.layout, image.digest).read_bytes())
    return tarfile.open(oci.blob(image.layout, manifest["layers"][0]["digest"]))


def made_of(image: Image) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = json.loads(oci.config(image.layout, image.digest)["Labels"][PACKAGES])
    return said


def prefer(place: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sources, "system", lambda: "any-1")
    (place / f"any-1-{architecture()}.pins").write_text("\n".join(["# preferred", *lines, ""]))


@needs_apt
@pytest.mark.parametrize(
    ("usr", "suffix"), [("", ""), ("/usr", ""), ("/usr", "t64")], ids=["unmerged", "merged", "renamed"]
)
def test_a_program_runs_from_the_image_however_the_distribution_lays_it_out(
    store: Store, tmp_path: Path, archive: DebianArchive, usr: str, suffix: str
) -> None:
    stock(archive, usr=usr, suffix=suffix)
    archive.publish()
    root = tmp_path / "root"
    with layer(build(store, tmp_path)) as tar:
        tar.extractall(root, filter="fully_trusted")
    done = subprocess.run(
        ["chroot", root, "/bin/shell", "-c", "echo $((6 * 7))"], check=False, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("42\n", "")
    assert (root / "usr/bin/shell").stat().st_mode & 0o7777 == 0o755  # no longer setuid
    assert (root / "etc/shell/rc").read_text() == "set -u\n"


@needs_apt
def test_the_labels_tell_what_was_taken(store: Store, tmp_path: Path, archive: DebianArchive) -> None:
    stock(archive, version="1:2.0-3")
    sha256 = archive.add("unused", "1", {"/usr/bin/unused": "no"})
    archive.publish()
    image = build(store, tmp_path)
    told = {one["name"]: one for one in made_of(image)}
    assert sorted(told) == ["libc6", "libterm6", "shell"]
    assert {one["version"] for one in told.values()} == {"1:2.0-3"}
    assert all(len(one["sha256"]) == len(sha256) for one in told.values())
    assert image.differences == [f"{name} 1:2.0-3, of which no version is preferred" for name in sorted(told)]


@needs_apt
def test_what_is_preferred_is_taken_as_long_as_the_archive_has_it(
    store: Store, tmp_path: Path, archive: DebianArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(archive)
    old = archive.add(
        "libc6",
        "0.9-1",
        {
            f"/usr/{LIBS}/libc.so.6": machine_library("libc.so.6").read_bytes(),
            INTERPRETER: Path(INTERPRETER).read_bytes(),
        },
    )
    archive.publish()
    prefer(tmp_path, monkeypatch, f"libc6=0.9-1 sha256:{old}")
    image = build(store, tmp_path)
    assert next(one for one in made_of(image) if one["name"] == "libc6")["version"] == "0.9-1"
    assert not any("libc6" in line for line in image.differences)


@needs_apt
def test_where_nothing_preferred_is_left_the_image_is_built_and_says_how_it_differs(
    store: Store, tmp_path: Path, archive: DebianArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(archive)
    archive.publish()
    gone = [f"{name}=0.1-1 sha256:{'0' * 64}" for name in ("libc6", "libterm6", "shell")]
    prefer(tmp_path, monkeypatch, *gone)
    image = build(store, tmp_path)
    assert image.differences == [f"{name} 1.0-1 instead of 0.1-1" for name in ("libc6", "libterm6", "shell")]


@needs_apt
def test_old_lists_are_brought_up_to_date(store: Store, tmp_path: Path, archive: DebianArchive) -> None:
    stock(archive)
    archive.publish()
    archive.withdraw("libc6", "1.0-1")
    archive.add(
        "libc6",
        "1.0-2",
        {
            f"/usr/{LIBS}/libc.so.6": machine_library("libc.so.6").read_bytes(),
            INTERPRETER: Path(INTERPRETER).read_bytes(),
        },
    )
    archive.publish(heard=False)
    assert {one["name"]: one["version"] for one in made_of(build(store, tmp_path))}["libc6"] == "1.0-2"


@needs_apt
def test_missing_lists_are_fetched(store: Store, tmp_path: Path, archive: DebianArchive) -> None:
    stock(archive)
    archive.publish(heard=False)
    assert len(made_of(build(store, tmp_path))) == 3


@needs_apt
def test_an_image_that_is_there_asks_no_archive(
    store: Store, tmp_path: Path, archive: DebianArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(archive)
    archive.publish()
    prefer(tmp_path, monkeypatch)
    first = build(store, tmp_path)
    monkeypatch.setattr(sources, "take", None)
    assert build(store, tmp_path) == first
    # Nor does one that differs in what is said about it alone.
    assert build(store, tmp_path, RECIPE.replace("[/bin/shell]", "[/bin/shell, -u]")).digest != first.digest


@needs_apt
@pytest.mark.parametrize("other", ["pins", "distribution", "architecture"])
def test_another_machine_or_preference_makes_another_image(
    store: Store, tmp_path: Path, archive: DebianArchive, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    stock(archive)
    archive.publish()
    prefer(tmp_path, monkeypatch)
    build(store, tmp_path)
    if other == "pins":
        prefer(tmp_path, monkeypatch, f"shell=0.1 sha256:{'0' * 64}")
    elif other == "distribution":
        monkeypatch.setattr("cluster.build.images.system", lambda: "any-2")
    else:
        monkeypatch.setattr(oci, "architecture", lambda: "other")
    monkeypatch.setattr("cluster.build.images.take", None)
    with pytest.raises(TypeError):  # it was asked for again
        build(store, tmp_path)


@needs_apt
def test_a_package_that_nobody_has_is_told_with_the_remedy(
    store: Store, tmp_path: Path, archive: DebianArchive
) -> None:
    stock(archive)
    archive.publish()
    with pytest.raises(
        ArchiveError,
        match=r"shell\.yaml: the archive of this machine has no package no-such \| nor-this; apt-get update says",
    ):
        build(store, tmp_path, RECIPE.replace("newer-shell | shell", "no-such | nor-this"))
    assert not list((store.root / "layer").iterdir())


@needs_apt
def test_a_source_that_nobody_signed_is_refused(store: Store, tmp_path: Path, archive: DebianArchive) -> None:
    archive.trust("allow-insecure=yes")
    stock(archive)
    archive.publish(signed=False)
    with pytest.raises(ArchiveError, match="apt cannot vouch for the packages of an image"):
        build(store, tmp_path)


@needs_apt
@pytest.mark.parametrize("lacking", ["program", "file", "library"])
def test_what_no_package_has_is_named(
    store: Store, tmp_path: Path, archive: DebianArchive, lacking: str
) -> None:
    stock(archive)
    if lacking == "library":
        archive.add("libterm6", "1.0-2", {"/usr/share/doc/libterm6": "nothing else"}, depends="libc6")
    archive.publish()
    recipe = {
        "program": RECIPE.replace("programs: [shell]", "programs: [shell, absent]"),
        "file": RECIPE.replace("/etc/*/rc", "/etc/*/absent"),
        "library": RECIPE,
    }[lacking]
    named = {
        "program": "absent",
        "file": "/etc/*/absent",
        "library": f"{TERMINAL} (which /usr/bin/shell needs)",
    }
    with pytest.raises(Missing) as caught:
        build(store, tmp_path, recipe)
    assert f"have no {named[lacking]}: name the package" in str(caught.value)


@needs_apt
def test_a_library_that_is_opened_later_comes_when_the_recipe_names_it(
    store: Store, tmp_path: Path, archive: DebianArchive
) -> None:
    stock(archive)
    libc = machine_library("libc.so.6").read_bytes()
    archive.add("liblater1", "1", {f"/usr/{LIBS}/liblater.so.1": libc}, depends="libc6")
    archive.publish()
    recipe = RECIPE.replace('shell"]', 'shell", liblater1]\n  libraries: [liblater.so.1]')
    with layer(build(store, tmp_path, recipe)) as tar:
        assert f"usr/{LIBS}/liblater.so.1" in tar.getnames()


# ---------------------------------------------------------------- a machine without an archive
