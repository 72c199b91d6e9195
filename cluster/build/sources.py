"""The two places from which a distribution's files come: the packages of a Debian archive, or the machine itself."""

from __future__ import annotations

import io
import os
import posixpath
import re
import shutil
import stat
import subprocess
import tarfile
import tempfile
from collections import ChainMap
from fnmatch import fnmatchcase
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.build.archive import Archive, ArchiveError, Lists, Offer, OutdatedError, architecture
from cluster.build.archive import is_there as archive_is_there
from cluster.build.distribution import PROGRAMS, Found, Missing, Taken, collect, merged, system
from cluster.build.packages import SYSTEM_PATH, how_to_install

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from cluster.build.distribution import Source
    from cluster.build.recipes import Distribution

_USUAL = ("/usr/lib64", "/usr/lib/*-linux-*", "/usr/lib")
"""Patterns of the directories in which libraries lie, whatever the distribution."""
# Where an index of libraries says that more lie.
_LOADER = Path("/etc/ld.so.conf")
_LISTS = Lists()

Preferred = dict[str, dict[str, str]]
"""By package: the SHA-256 of each version of it that is preferred."""


def read_preferred(recipe: Path) -> Preferred:
    """Read which versions are preferred on this machine: a file beside the recipe, of lines `package=version sha256:…`.

    Its name is that of distribution and architecture: debian-12-amd64.pins. Raises ArchiveError. Empty where there is none.
    """
    file = preferred_file(recipe)
    preferred: Preferred = {}
    if file is None:
        return preferred
    for line in file.read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        if not (found := re.fullmatch(r"([a-z0-9][a-z0-9+.-]+)=(\S+) sha256:([0-9a-f]{64})", line)):
            raise ArchiveError(f"{file} has lines `package=version sha256:…`, not {line!r}")
        preferred.setdefault(found[1], {})[found[2]] = found[3]
    return preferred


def preferred_file(recipe: Path) -> Path | None:
    """Give the file of preferred versions for this machine, where there is one beside the recipe."""
    if not archive_is_there():
        return None
    file = recipe.parent / f"{system()}-{architecture()}.pins"
    return file if file.is_file() else None


def take(
    wanted: Distribution, others: Mapping[str, bytes], preferred: Preferred
) -> tuple[dict[str, Found], list[Taken]]:
    """Take files from this machine's distribution, and tell from which packages they are.

    Where apt is, from its archive: the preferred version of a package where the archive has it, else what apt would
    install. Elsewhere, from the machine's own files. Raises ArchiveError, Missing and BrokenElf.
    """
    if not archive_is_there():
        return _take(Machine(), wanted, others)
    with tempfile.TemporaryDirectory(prefix="archive-") as place:
        try:
            return _take(Packages(Archive(Path(place), _LISTS), wanted, preferred), wanted, others)
        except OutdatedError:
            if not _LISTS.update():
                raise
    with tempfile.TemporaryDirectory(prefix="archive-") as place:
        return _take(Packages(Archive(Path(place), _LISTS), wanted, preferred), wanted, others)


def _take(
    source: Source, wanted: Distribution, others: Mapping[str, bytes]
) -> tuple[dict[str, Found], list[Taken]]:
    files = collect(source, wanted, others)
    return files, source.taken({found.origin for found in files.values()})


class Packages:
    """The packages of an archive; those on which the named ones depend are fetched as they are needed."""

    def __init__(self, archive: Archive, wanted: Distribution, preferred: Preferred) -> None:
        self._archive = archive
        self._preferred = preferred
        self._fetched: dict[str, Offer] = {}
        self._trees: list[_Tree] = []
        named = [tuple(one.split(" | ")) for one in wanted.packages]
        if unknown := [" | ".join(names) for names in named if self._first(names, named) is None]:
            raise archive.lacks(unknown)
        self._fetch(self._chosen(named))

    @property
    def name(self) -> str:
        """Name the distribution."""
        return system()

    def program(self, name: str) -> Found | None:
        """Give a program from PATH or where programs lie."""
        found = (self._at(f"{directory}/{name}") for directory in PROGRAMS)
        return next((one for one in found if one), None)

    def matching(self, pattern: str) -> list[Found]:
        """Give the files and links that match, sorted."""
        paths = sorted(path for path in self._paths if path == pattern or fnmatchcase(path, pattern))
        return [found for path in paths if (found := self._at(path))]

    def libraries(self, name: str, directories: Sequence[str]) -> Iterator[Found]:
        """Give what is called so in the directories, then where libraries lie."""
        usual = sorted(
            path
            for path in self._paths
            if posixpath.basename(path) == name
            and any(fnmatchcase(posixpath.dirname(path), one) for one in _USUAL)
        )
        for path in (*(f"{directory}/{name}" for directory in directories), *usual):
            if found := self._at(path):
                yield found

    def widen(self, libraries: Collection[str]) -> bool:
        """Fetch what the fetched packages depend on; for libraries, first what is called like one."""
        depends = [names for offer in self._fetched.values() for names in offer.depends]
        offers = [one for one in self._chosen(depends) if one.package not in self._fetched]
        likely = [one for one in offers if "lib" in one.package] if libraries else []
        self._fetch(likely or offers)
        return bool(offers)

    def lacking(self, what: Iterable[str], wanted: Distribution) -> Missing:
        """Say what is not to be had, and what to do."""
        return Missing(
            f"the packages {', '.join(wanted.packages)} of {self.name}, with those on which they depend, have no "
            f"{', no '.join(what)}: name the package that has, or what it is called there, in the recipe"
        )

    def taken(self, origins: Collection[str]) -> list[Taken]:
        """Tell what the files came in."""
        offers = sorted((self._fetched[one] for one in origins), key=str)
        return [
            Taken(one.package, one.version, one.sha256, "" if self._is_preferred(one) else self._instead(one))
            for one in offers
        ]

    @property
    def _paths(self) -> ChainMap[str, tarfile.TarInfo]:
        return ChainMap(*(tree.members for tree in self._trees))

    def _at(self, path: str) -> Found | None:
        """Give the file at a path; a link is followed, into other packages, too."""
        name = path
        for _ in range(40):  # as many links as Linux follows
            tree = next((one for one in self._trees if name in one.members), None)
            if tree is None:
                return None
            member = tree.members[name]
            if not member.issym():
                return tree.read(path, name)
            name = merged(posixpath.join("/", posixpath.dirname(name), member.linkname))
        return None

    def _chosen(self, dependencies: Collection[Sequence[str]]) -> list[Offer]:
        """Choose, for each dependency, the first alternative that there is; what no package is called like is left out."""
        chosen = (self._first(names, dependencies) for names in dependencies)
        return list({offer.package: offer for offer in chosen if offer}.values())

    def _first(self, names: Sequence[str], among: Iterable[Sequence[str]]) -> Offer | None:
        known = self._archive.offers(sorted({name for each in among for name in each}))
        return next((self._best(known[name]) for name in names if known[name]), None)

    def _best(self, offers: Sequence[Offer]) -> Offer:
        return next((one for one in offers if self._is_preferred(one)), offers[0])

    def _is_preferred(self, offer: Offer) -> bool:
        return self._preferred.get(offer.package, {}).get(offer.version) == offer.sha256

    def _instead(self, offer: Offer) -> str:
        versions = " or ".join(self._preferred.get(offer.package, {}))
        return f"{offer} instead of {versions}" if versions else f"{offer}, of which no version is preferred"

    def _fetch(self, offers: Collection[Offer]) -> None:
        if not offers:
            return
        # Another version may be in newer lists; they are asked for once.
        gone = [one for one in offers if one.package in self._preferred and not self._is_preferred(one)]
        if gone and not self._archive.lists.said and os.geteuid() == 0:
            raise OutdatedError("the lists of packages do not know the preferred versions")
        for offer, file in self._archive.fetch(offers).items():
            self._fetched[offer.package] = offer
            self._trees.append(_Tree(offer.package, file))


class _Tree:
    """The files of one Debian package, in memory (the largest one in use unpacks to 13 MB)."""

    def __init__(self, package: str, deb: Path) -> None:
        self._package = package
        done = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(deb)], check=False, capture_output=True)
        if done.returncode != 0:
            raise ArchiveError(
                f"{deb.name} cannot be unpacked: {done.stderr.decode(errors='replace').strip()}"
            )
        self._tar = tarfile.open(fileobj=io.BytesIO(done.stdout))  # noqa: SIM115 - nothing but memory to give back
        self.members = {merged(f"/{member.name}"): member for member in self._tar if not member.isdir()}

    def read(self, path: str, name: str) -> Found | None:
        """Give the file of a name as the one at a path."""
        member = self.members[name]
        stream = self._tar.extractfile(member)
        if stream is None:
            return None
        return Found(path, stream.read(), bool(member.mode & stat.S_IXUSR), self._package)


class Machine:
    """The files of this machine, where there is no archive to ask."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._listings: dict[str, list[str]] = {}

    @property
    def name(self) -> str:
        """Name the distribution."""
        return system()

    def program(self, name: str) -> Found | None:
        """Give a program from PATH or where programs lie."""
        usual = [str(self._root / directory.lstrip("/")) for directory in SYSTEM_PATH.split(":")]
        path = shutil.which(name, path=os.pathsep.join([*usual, os.environ.get("PATH", "")]))
        return self._at(f"/usr/bin/{name}", Path(path)) if path else None

    def matching(self, pattern: str) -> list[Found]:
        """Give the files and links that match, sorted."""
        stem, star, _ = pattern.partition("*")
        if not star:
            paths = [pattern]
        else:
            below = posixpath.dirname(stem)
            if below not in self._listings:
                self._listings[below] = self._below(below)
            paths = sorted(path for path in self._listings[below] if fnmatchcase(path, pattern))
        return [found for path in paths if (found := self._at(path))]

    def libraries(self, name: str, directories: Sequence[str]) -> Iterator[Found]:
        """Give what is called so in the directories, then where libraries lie."""
        for directory in (*directories, *self._directories):
            if found := self._at(f"{directory}/{name}"):
                yield found

    def widen(self, libraries: Collection[str]) -> bool:
        """There is no more than the machine has."""
        del libraries
        return False

    def lacking(self, what: Iterable[str], wanted: Distribution) -> Missing:
        """Say what is not to be had, and what to do."""
        names = wanted.elsewhere or wanted.programs
        return Missing(
            f"this machine ({self.name}) has no archive that apt can read, so that its own files are taken, and it "
            f"lacks {', '.join(what)}; get them: {how_to_install(names)}"
        )

    def taken(self, origins: Collection[str]) -> list[Taken]:
        """Tell what the files came in."""
        return [
            Taken(path, self.name, _sha256(self._real(path)), f"{path} of the machine itself ({self.name})")
            for path in sorted(origins)
        ]

    def _real(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def _at(self, path: str, real: Path | None = None) -> Found | None:
        """Give the file at a path, which may lie in /lib on a machine where that is no link."""
        for file in [real] if real else [self._real(path), self._real(path.removeprefix("/usr"))]:
            try:
                if file.is_file():
                    origin = "/" + str(file.resolve().relative_to(self._root.resolve()))
                    return Found(path, file.read_bytes(), os.access(file, os.X_OK), origin)
            except (OSError, ValueError):
                continue
        return None

    def _below(self, directory: str) -> list[str]:
        """List the files below a directory, and the links."""
        top = self._real(directory)
        return [
            "/" + str(Path(parent, name).relative_to(self._root))
            for parent, _, names in os.walk(top)
            for name in names
        ]

    @cached_property
    def _directories(self) -> list[str]:
        """The directories of libraries: those that the loader is told, and the usual ones."""
        known = list(self._listed(self._real(str(_LOADER))))
        for pattern in _USUAL:
            known += sorted(
                "/" + str(one.relative_to(self._root)) for one in self._root.glob(pattern.lstrip("/"))
            )
        return known

    def _listed(self, file: Path) -> Iterator[str]:
        """Read an index of directories, and those that it includes."""
        try:
            lines = file.read_text().splitlines()
        except OSError:
            return
        for line in (line.partition("#")[0].strip() for line in lines):
            if line.startswith("include"):
                named = str(_LOADER.parent / line.removeprefix("include").strip())
                for other in sorted(self._root.glob(named.lstrip("/"))):
                    yield from self._listed(other)
            elif line.startswith("/"):
                yield merged(line)


def _sha256(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()
