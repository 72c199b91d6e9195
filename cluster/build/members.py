"""The members of a layer: what wheels, locks of wheels and modules of Go hold, and single files."""

from __future__ import annotations

import gzip
import json
import tempfile
import zipfile
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from cluster.build import oci
from cluster.build.downloads import fetch_module, fetch_wheel
from cluster.build.recipes import File, Installed, Member, Module, RecipeError, Tree, Wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cluster.build.downloads import Pin


def opened(path: Path) -> IO[bytes]:
    """Open a file to read it."""
    return path.open("rb")


def file_entry(item: File | Member, size: int, content: Callable[[], IO[bytes]]) -> oci.Entry:
    """Return the entry of a layer for one file of a recipe."""
    return oci.Entry(PurePosixPath(item.path), item.bits, item.ids, size, content)


def from_wheel(wheel: Wheel, pin: Pin, downloads: Path) -> Iterator[oci.Entry]:
    """Yield what a recipe takes from a wheel; raises RecipeError where that lacks it."""
    file = fetch_wheel(pin, Path(tempfile.mkdtemp(dir=downloads)))
    with zipfile.ZipFile(file) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
    for item in wheel.take:
        if item.member not in sizes:
            raise RecipeError(f"the wheel {pin} has no member {item.member}")
        yield file_entry(item, sizes[item.member], partial(_open_member, file, item.member))


def from_lock(installed: Installed, wheels: Iterable[Path]) -> Iterator[oci.Entry]:
    """Yield what the wheels of a lock install."""
    for file in wheels:
        # Open until the last member of it is read: a wheel may have thousands.
        archive = zipfile.ZipFile(file)
        for member in archive.infolist():
            place = _place_of(member.filename)
            if place is None or member.is_dir() or matches(place, installed.without):
                continue
            path = PurePosixPath(installed.path) / place
            yield oci.Entry(
                path, 0o644, size=member.file_size, content=partial(archive.open, member.filename)
            )


def in_tree(tree: Tree, source: Path) -> list[Path]:
    """List the files that a recipe takes from a directory, sorted; raises RecipeError where a pattern matches none."""
    files = {}
    for place in sorted({source / pattern.partition("/")[0] for pattern in tree.take}):
        for file in [place] if place.is_file() else sorted(place.rglob("*")):
            if file.is_file() and not file.is_symlink() and "__pycache__" not in file.parts:
                files[file.relative_to(source).as_posix()] = file
    if idle := [one for one in tree.take if not any(fnmatchcase(name, one) for name in files)]:
        raise RecipeError(f"{tree.source} has no file {', no file '.join(idle)}")
    return [
        file for name, file in files.items() if matches(name, tree.take) and not matches(name, tree.without)
    ]


def from_tree(tree: Tree, source: Path) -> Iterator[oci.Entry]:
    """Yield what a recipe takes from a directory."""
    for file in in_tree(tree, source):
        path = PurePosixPath(tree.path) / file.relative_to(source).as_posix()
        yield oci.Entry(path, 0o644, size=file.stat().st_size, content=partial(opened, file))


def _place_of(member: str) -> str | None:
    """Say where a member of a wheel goes below the directory of modules; None for what does not go there."""
    first, _, rest = member.partition("/")
    if not first.endswith(".data"):
        return member
    scheme, _, rest = rest.partition("/")
    return rest if scheme in {"purelib", "platlib"} else None


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path matches one of some patterns, in which a * stands for any characters."""
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _open_member(file: Path, member: str) -> IO[bytes]:
    # A closed archive keeps its file until the streams from it are closed, too.
    with zipfile.ZipFile(file) as archive:
        return archive.open(member)


def from_module(module: Module, go: Path, downloads: Path) -> Iterator[oci.Entry]:
    """Yield what a recipe takes from a module of Go; raises RecipeError where that has nothing for this machine."""
    machine = oci.machine()
    if machine not in module.trees:
        there = ", ".join(sorted(module.trees))
        raise RecipeError(f"the module {module.module} has nothing for {machine} (but for {there})")
    place = Path(tempfile.mkdtemp(dir=downloads))
    archive = zipfile.ZipFile(fetch_module(module.module, module.version, module.sum, go, place))
    tree = f"{module.module}@{module.version}/{module.trees[machine]}"
    for file in json.loads(archive.read(f"{tree}/files.json"))["files"]:
        name = file["name"]
        if _is_directory(file) or not matches(name, module.take) or matches(name, module.without):
            continue
        path = PurePosixPath(module.path, name)
        if target := file.get("symlink"):
            yield oci.Entry(path, 0o777, target=target)
            continue
        member = f"{tree}/{name}.gz" if file.get("compressed") else f"{tree}/{name}"
        mode = 0o755 if file["perm"] & 0o100 else 0o644
        content = partial(_open_packed, archive, member)
        yield oci.Entry(path, mode, size=file["size"], content=content)


def _is_directory(file: Mapping[str, Any]) -> bool:
    return bool(file["perm"] >> 31)  # as Go's fs.FileMode has it


def _open_packed(archive: zipfile.ZipFile, member: str) -> IO[bytes]:
    stream = archive.open(member)
    # It reads as a file of bytes does, but is declared by another name.
    return gzip.GzipFile(fileobj=stream) if member.endswith(".gz") else stream  # type: ignore[return-value]  # see above
