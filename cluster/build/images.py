"""Builds container images from recipes: pinned packages, the distribution's files, our own programs."""

from __future__ import annotations

import io
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from cluster.build import oci
from cluster.build.archive import ArchiveError
from cluster.build.bytecode import compiled
from cluster.build.distribution import MERGED, Missing, Taken, merged, system
from cluster.build.downloads import DownloadError, fetch_lock
from cluster.build.elf import MAGIC, BrokenElf, stripped
from cluster.build.members import file_entry, from_lock, from_module, from_tree, from_wheel, in_tree, opened
from cluster.build.programs import ensure_go
from cluster.build.recipes import Distribution, File, Installed, Recipe, RecipeError, Tree
from cluster.build.sources import preferred_file, read_preferred, take

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from cluster.build.cache import Store
    from cluster.build.downloads import Pin

# Part of every image's key: raise it when the same recipe is to give another image.
BUILDER = 2

PACKAGES = "io.chroma-conformance.packages"
"""The label of an image that tells, as JSON, of what it was made: name, version and SHA-256 of each package."""

_FACTS = "facts.json"
_TITLE, _VERSION = "org.opencontainers.image.title", "org.opencontainers.image.version"


@dataclass(frozen=True)
class Image:
    """A built image: `layout` is its OCI layout directory, `digest` that of its manifest (sha256:…)."""

    name: str
    tag: str
    digest: str
    layout: Path
    aliases: tuple[str, ...] = ()
    packages: tuple[Taken, ...] = ()

    @property
    def local_name(self) -> str:
        """The full name under which a node has the image when it comes from no registry."""
        return _local_name(self.name, self.tag)

    @property
    def differences(self) -> list[str]:
        """How it differs from the image that its recipe prefers, a line for each package."""
        return [package.differs for package in self.packages if package.differs]


def ensure_images(
    store: Store,
    recipes: Iterable[Path],
    programs: Mapping[str, Path],
    asked: Collection[str] = (),
) -> list[Image]:
    """Build the images that the store does not have yet; give all, in the order of the recipes.

    `programs` are the files that recipes may ask for by name. A recipe that is made on request only is left out unless
    `asked` names its image (`name:tag`, or the end of it behind a slash). Nothing is built before all recipes are
    found right. Raises RecipeError, DownloadError, ArchiveError and Missing.
    """
    plans = [_Plan.of(file, programs) for file in recipes]
    return [plan.ensure(store) for plan in plans if plan.recipe.is_wanted(asked)]


@dataclass(frozen=True)
class _Plan:
    """A recipe together with the files of this machine that go into its image."""

    file: Path
    recipe: Recipe
    sources: tuple[tuple[File, Path], ...]
    locks: tuple[tuple[Installed, Path], ...] = ()
    trees: tuple[tuple[Tree, Path], ...] = ()

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
        trees = tuple((item, (file.parent / item.source).resolve()) for item in recipe.trees)
        return cls(file, recipe, tuple(sources), locks, trees)

    def ensure(self, store: Store) -> Image:
        """Give the image: first its layers, of which the first needs the network where it is absent, then what is said about them.

        A layer that is there stays as it is until its recipe, what is preferred, or the machine is another: an archive
        that has moved on changes nothing, and is not asked. What came of the packages is part of the image's key.
        """
        recipe = self.recipe
        title = f"{recipe.name}:{recipe.tag}"
        layer = store.entry("layer", self._layer_key(), f"layer of {title}", partial(self._lay, store))
        layers = [layer]
        if self.trees:
            # They change from one commit to the next, and the rest with the lock.
            key = _hash([BUILDER, self._trees()])
            layers.append(store.entry("layer", key, f"files of {title}", self._lay_trees))
        facts = [json.loads((one / _FACTS).read_bytes()) for one in layers]
        key = _hash([BUILDER, recipe.model_dump(mode="json"), *facts])
        layout = store.entry("image", key, f"image {title}", partial(self._write, layers, facts))
        (manifest,) = oci.read_index(layout)
        packages = tuple(Taken(**one) for one in facts[0]["packages"])
        return Image(recipe.name, recipe.tag, manifest["digest"], layout, tuple(recipe.aliases), packages)

    def _layer_key(self) -> str:
        content = {
            "distribution",
            "modules",
            "wheels",
            "installed",
            "strip",
            "compiled",
            "files",
            "directories",
        }
        parts = [
            BUILDER,
            oci.architecture(),
            self.recipe.model_dump(mode="json", include=content),
            *(_identity(*source) for source in self.sources),
            *(_digest(lock) for _, lock in self.locks),
        ]
        if self.recipe.distribution:
            preferred = preferred_file(self.file)
            parts += [system(), _digest(preferred) if preferred else None]
        return _hash(parts)

    def _lay(self, store: Store, place: Path) -> None:
        # The packages go with the directory: they are fetched again only when the recipe changes.
        with tempfile.TemporaryDirectory(prefix="packages-", dir=place) as downloads:
            try:
                entries, packages = self._content(store, Path(downloads))
                layer = oci.write_layer(place, entries)
            except (DownloadError, RecipeError, ArchiveError, Missing, BrokenElf) as error:
                raise type(error)(f"{self.file}: {error}") from error
        facts = {"layer": layer, "packages": [asdict(one) for one in packages]}
        (place / _FACTS).write_text(json.dumps(facts))

    def _trees(self) -> list[Any]:
        """Tell one state of the trees from another."""
        return [
            [item.path, file.relative_to(source).as_posix(), _digest(file)]
            for item, source in self.trees
            for file in in_tree(item, source)
        ]

    def _lay_trees(self, place: Path) -> None:
        entries = [entry for item, source in self.trees for entry in from_tree(item, source)]
        (place / _FACTS).write_text(json.dumps({"layer": oci.write_layer(place, entries)}))

    def _write(self, layers: Sequence[Path], facts: Sequence[Mapping[str, Any]], layout: Path) -> None:
        name = _local_name(self.recipe.name, self.recipe.tag)
        config = _config(self.recipe, facts[0]["packages"])
        described = [(one["layer"], layer) for one, layer in zip(facts, layers, strict=True)]
        oci.write_layout(layout, described, config, {"io.containerd.image.name": name})

    def _content(self, store: Store, downloads: Path) -> tuple[list[oci.Entry], list[Taken]]:
        """Give all that the layer holds, and the packages of which it is."""
        recipe = self.recipe
        entries: list[oci.Entry] = []
        packages = [Taken(item.module, item.version, item.sum) for item in recipe.modules]
        for wheel in recipe.wheels:
            pin = wheel.pin(oci.machine())
            entries += from_wheel(wheel, pin, downloads)
            packages.append(_taken(pin))
        for item, lock in self.locks:
            wheels = fetch_lock(lock, Path(tempfile.mkdtemp(dir=downloads)), item.without_packages)
            entries += from_lock(item, wheels.values())
            packages += [_taken(pin) for pin in wheels]
        for module in recipe.modules:
            entries += from_module(module, ensure_go(store), downloads)
        if recipe.distribution:
            files, taken = self._of_distribution(recipe.distribution, entries)
            entries += files
            packages += taken
        entries += self._own()
        if recipe.strip:
            entries = [_stripped(entry) for entry in entries]
        if recipe.compiled:
            entries = list(compiled(recipe.compiled, entries, Path(tempfile.mkdtemp(dir=downloads))))
        return (_with_links(entries) if recipe.distribution else entries), packages

    def _of_distribution(
        self, wanted: Distribution, others: Iterable[oci.Entry]
    ) -> tuple[list[oci.Entry], list[Taken]]:
        files, taken = take(wanted, _elves(others), read_preferred(self.file))
        entries = [
            oci.Entry(
                PurePosixPath(path),
                0o755 if found.executable else 0o644,
                size=len(found.data),
                content=partial(io.BytesIO, found.data),
            )
            for path, found in files.items()
        ]
        return entries, taken

    def _own(self) -> Iterator[oci.Entry]:
        for item, path in self.sources:
            yield file_entry(item, path.stat().st_size, partial(opened, path))
        for item in self.recipe.files:
            if item.text is not None:
                data = item.text.encode()
                yield file_entry(item, len(data), partial(io.BytesIO, data))
        for directory in self.recipe.directories:
            yield oci.Entry(PurePosixPath(directory.path), directory.bits, directory.ids)


def _hash(parts: list[Any]) -> str:
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _taken(pin: Pin) -> Taken:
    return Taken(pin.package, pin.version, pin.sha256)


def _elves(entries: Iterable[oci.Entry]) -> dict[str, bytes]:
    """Read the programs and libraries among the entries."""
    found = {}
    for entry in entries:
        if entry.content is None or entry.size < len(MAGIC):
            continue
        with entry.content() as stream:
            if (start := stream.read(len(MAGIC))) == MAGIC:
                found[str(entry.path)] = start + stream.read()
    return found


def _stripped(entry: oci.Entry) -> oci.Entry:
    """Return a file of a layer without what no loader reads; other entries as they are."""
    if entry.content is None or entry.size < len(MAGIC):
        return entry
    with entry.content() as stream:
        if (start := stream.read(len(MAGIC))) != MAGIC:
            return entry
        data = stripped(start + stream.read())
    return replace(entry, size=len(data), content=partial(io.BytesIO, data))


def _with_links(entries: Iterable[oci.Entry]) -> list[oci.Entry]:
    """Put all below /usr that a distribution has there, with the links by which it is found in /bin and /lib."""
    moved = [replace(entry, path=PurePosixPath(merged(str(entry.path)))) for entry in entries]
    there = {str(parent) for entry in moved for parent in entry.path.parents}
    links = [
        oci.Entry(PurePosixPath(f"/{name}"), 0o777, target=f"usr/{name}")
        for name in MERGED
        if f"/usr/{name}" in there
    ]
    return [*moved, *links]


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


def _config(recipe: Recipe, packages: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    config: dict[str, Any] = {
        "Labels": _labels(recipe, packages),
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


def _labels(recipe: Recipe, packages: Iterable[Mapping[str, str]]) -> dict[str, str]:
    made_of = [{name: value for name, value in one.items() if value} for one in packages]
    labels = {_TITLE: recipe.name, _VERSION: recipe.tag}
    if made_of:
        labels[PACKAGES] = json.dumps(made_of, separators=(",", ":"))
    return labels
