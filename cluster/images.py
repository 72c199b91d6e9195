"""Builds container images from recipes: pinned packages, our own programs, a few files."""

from __future__ import annotations

import io
import json
import posixpath
import stat
import subprocess
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from cluster import oci
from cluster.downloads import DownloadError, fetch_debs, fetch_lock, fetch_wheel
from cluster.recipes import Deb, File, Installed, Member, Recipe, RecipeError, Wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cluster.store import Store

# Part of every image's key: raise it when the same recipe is to give another image.
BUILDER = 1


@dataclass(frozen=True)
class Image:
    """A built image: `layout` is its OCI layout directory, `digest` that of its manifest (sha256:…)."""

    name: str
    tag: str
    digest: str
    layout: Path
    aliases: tuple[str, ...] = ()

    @property
    def local_name(self) -> str:
        """The full name under which a node has the image when it comes from no registry."""
        return _local_name(self.name, self.tag)


def ensure_images(store: Store, recipes: Iterable[Path], programs: Mapping[str, Path]) -> list[Image]:
    """Build the images that the store does not have yet; give all, in the order of the recipes.

    `programs` are the files that recipes may ask for by name. Nothing is built before all recipes
    are found right. Raises RecipeError and DownloadError.
    """
    plans = [_Plan.of(file, programs) for file in recipes]
    return [plan.ensure(store) for plan in plans]


@dataclass(frozen=True)
class _Plan:
    """A recipe together with the files of this machine that go into its image."""

    file: Path
    recipe: Recipe
    sources: tuple[tuple[File, Path], ...]
    locks: tuple[tuple[Installed, Path], ...] = ()

    @classmethod
    def of(cls, file: Path, programs: Mapping[str, Path]) -> _Plan:
        recipe = Recipe.load(file)
        sources = []
        for item in recipe.files:
            if item.source is not None:
                sources.append((item, file.parent / item.source))
            elif item.program is not None:
                if item.program not in programs:
                    known = ", ".join(sorted(programs)) or "none"
                    raise RecipeError(f"{file}: there is no program {item.program!r} (there are: {known})")
                sources.append((item, programs[item.program]))
        locks = tuple((item, file.parent / item.lock) for item in recipe.installed)
        if missing := [str(path) for _, path in (*sources, *locks) if not path.is_file()]:
            raise RecipeError(f"{file}: no such file: {', '.join(missing)}")
        return cls(file, recipe, tuple(sources), locks)

    def ensure(self, store: Store) -> Image:
        recipe = self.recipe
        layout = store.entry("image", self._key(), f"image {recipe.name}:{recipe.tag}", self._build)
        (manifest,) = oci.read_index(layout)
        return Image(recipe.name, recipe.tag, manifest["digest"], layout, tuple(recipe.aliases))

    def _key(self) -> str:
        parts = [
            BUILDER,
            self.recipe.model_dump(mode="json"),
            *(_identity(*source) for source in self.sources),
            *(_digest(lock) for _, lock in self.locks),
        ]
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _build(self, layout: Path) -> None:
        name = _local_name(self.recipe.name, self.recipe.tag)
        # The packages go with the directory: they are fetched again only when the recipe changes.
        with tempfile.TemporaryDirectory(prefix="packages-", dir=layout) as downloads:
            try:
                entries = list(self._entries(Path(downloads)))
            except (DownloadError, RecipeError) as error:
                raise type(error)(f"{self.file}: {error}") from error
            oci.write_layout(layout, entries, _config(self.recipe), {"io.containerd.image.name": name})

    def _entries(self, downloads: Path) -> Iterator[oci.Entry]:
        yield from _from_debs(self.recipe.debs, downloads)
        yield from _from_wheels(self.recipe.wheels, downloads)
        for installed, lock in self.locks:
            yield from _from_lock(installed, lock, downloads)
        for item, path in self.sources:
            yield _entry(item, path.stat().st_size, partial(_open, path))
        for item in self.recipe.files:
            if item.text is not None:
                data = item.text.encode()
                yield _entry(item, len(data), partial(io.BytesIO, data))
        for directory in self.recipe.directories:
            yield oci.Entry(PurePosixPath(directory.path), directory.bits, directory.ids)


def _local_name(name: str, tag: str) -> str:
    return f"localhost/{name}:{tag}"


def _identity(item: File, path: Path) -> list[Any]:
    """Tell one state of a file from another without reading 80 MB of programs at every start.

    Programs lie in the store, where nothing is written twice; a recipe's neighbour is small and read.
    """
    if item.program is None:
        return [item.path, _digest(path)]
    status = path.stat()
    return [item.path, str(path.resolve()), status.st_size, status.st_mtime_ns]


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _entry(item: File | Member, size: int, content: Callable[[], IO[bytes]]) -> oci.Entry:
    return oci.Entry(PurePosixPath(item.path), item.bits, item.ids, size, content)


def _from_wheels(wheels: Iterable[Wheel], downloads: Path) -> Iterator[oci.Entry]:
    for wheel in wheels:
        file = fetch_wheel(wheel.pin, Path(tempfile.mkdtemp(dir=downloads)))
        with zipfile.ZipFile(file) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist()}
        for item in wheel.take:
            if item.member not in sizes:
                raise RecipeError(f"the wheel {wheel.pin} has no member {item.member}")
            yield _entry(item, sizes[item.member], partial(_open_member, file, item.member))


def _from_lock(installed: Installed, lock: Path, downloads: Path) -> Iterator[oci.Entry]:
    for file in fetch_lock(lock, Path(tempfile.mkdtemp(dir=downloads))):
        # Open until the last member of it is read: a wheel may have thousands.
        archive = zipfile.ZipFile(file)
        for member in archive.infolist():
            place = _place_of(member.filename)
            if place is None or member.is_dir() or _matches(place, installed.without):
                continue
            path = PurePosixPath(installed.path) / place
            yield oci.Entry(
                path, 0o644, size=member.file_size, content=partial(archive.open, member.filename)
            )


def _place_of(member: str) -> str | None:
    """Say where a member of a wheel goes below the directory of modules; None for what does not go there."""
    first, _, rest = member.partition("/")
    if not first.endswith(".data"):
        return member
    scheme, _, rest = rest.partition("/")
    return rest if scheme in {"purelib", "platlib"} else None


def _matches(path: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _open_member(file: Path, member: str) -> IO[bytes]:
    # A closed archive keeps its file until the streams from it are closed, too.
    with zipfile.ZipFile(file) as archive:
        return archive.open(member)


def _from_debs(debs: list[Deb], downloads: Path) -> Iterator[oci.Entry]:
    if not debs:
        return
    files = fetch_debs([deb.pin for deb in debs], downloads)
    for deb in debs:
        tree = _Tree(files[deb.pin])
        for path in (*deb.take, *tree.below(deb.below, deb.without)):
            if (found := tree.read(path)) is None:
                raise RecipeError(f"the Debian package {deb.pin} has no file {path}")
            data, executable = found
            mode = 0o755 if executable else 0o644
            yield oci.Entry(PurePosixPath(path), mode, size=len(data), content=partial(io.BytesIO, data))


class _Tree:
    """The files of one Debian package, in memory (the largest one in use unpacks to 13 MB)."""

    def __init__(self, deb: Path) -> None:
        data = subprocess.run(
            ["dpkg-deb", "--fsys-tarfile", str(deb)], check=True, capture_output=True
        ).stdout
        self._tar = tarfile.open(fileobj=io.BytesIO(data))  # noqa: SIM115 - nothing but memory to give back
        self._members = {posixpath.normpath(f"/{member.name}"): member for member in self._tar}

    def below(self, directories: Iterable[str], without: Iterable[str]) -> list[str]:
        """List the files below directories, and the links, that match none of the patterns."""
        return [
            path
            for path, member in self._members.items()
            if not member.isdir()
            and any(path.startswith(f"{directory}/") for directory in directories)
            and not _matches(path, without)
        ]

    def read(self, path: str) -> tuple[bytes, bool] | None:
        """Give a file's content and whether it is executable, following links; None if there is none."""
        member = self._members.get(path)
        while member is not None and member.issym():
            target = posixpath.join("/", posixpath.dirname(member.name), member.linkname)
            member = self._members.get(posixpath.normpath(target))
        stream = None if member is None else self._tar.extractfile(member)
        if member is None or stream is None:
            return None
        return stream.read(), bool(member.mode & stat.S_IXUSR)


def _config(recipe: Recipe) -> dict[str, Any]:
    config: dict[str, Any] = {
        "User": recipe.user,
        "Entrypoint": recipe.entrypoint,
        "Env": [f"{name}={value}" for name, value in recipe.environment.items()],
        "WorkingDir": recipe.working_directory,
    }
    if recipe.command:
        config["Cmd"] = recipe.command
    if recipe.stop_signal is not None:
        config["StopSignal"] = recipe.stop_signal
    if recipe.ports:
        config["ExposedPorts"] = {f"{port}/tcp": {} for port in recipe.ports}
    return config
