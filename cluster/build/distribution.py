"""Takes files from the machine's distribution for an image, with every shared library that they need."""

from __future__ import annotations

import platform
import posixpath
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

from cluster.build.elf import BrokenElf, Elf, expand
from cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from cluster.build.recipes import Distribution

# The directories that are links to those below /usr in every distribution of today, and in every image made here.
MERGED = ("bin", "sbin", "lib", "lib64")
PROGRAMS = ("/usr/sbin", "/usr/bin")
_LIBC = "libc.so.6"


class Missing(ClusterError):  # noqa: N818 - names the fact, as the message does
    """The distribution has not got all that an image wants; the text names what, and what to do."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the distribution: where an image has it, what is in it, and what it came in."""

    path: str
    data: bytes
    executable: bool
    origin: str


@dataclass(frozen=True, slots=True)
class Taken:
    """One package (or, where there are none, one file) of which something is in an image."""

    name: str
    version: str
    sha256: str
    differs: str = ""
    """How it differs from what is preferred; empty where it does not."""


class Source(Protocol):
    """Where the files of a distribution come from: the packages of an archive, or the machine itself."""

    @property
    def name(self) -> str:
        """The distribution and its version, such as debian-12."""

    def program(self, name: str) -> Found | None:
        """Give a program, wherever programs lie."""

    def matching(self, pattern: str) -> list[Found]:
        """Give the files whose path matches a pattern, sorted."""

    def libraries(self, name: str, directories: Sequence[str]) -> Iterator[Found]:
        """Give what goes by the name of a library: in these directories first, then in the usual ones."""

    def widen(self, libraries: Collection[str]) -> bool:
        """Look at more, for the sake of these libraries or, without any, of other files; False where there is no more."""

    def lacking(self, what: Iterable[str], wanted: Distribution) -> Missing:
        """Say that something is not to be had, and what to do."""

    def taken(self, origins: Collection[str]) -> list[Taken]:
        """Tell exactly what files came in, sorted."""


def merged(path: str) -> str:
    """Give the path that a file has where /bin, /sbin, /lib and /lib64 are links into /usr."""
    path = posixpath.normpath(path)
    return f"/usr{path}" if path.split("/")[1] in MERGED else path


def system() -> str:
    """Name this machine's distribution and its version: debian-12, ubuntu-24.04, arch-rolling."""
    try:
        about = platform.freedesktop_os_release()
    except OSError:
        return "linux"
    version = about.get("VERSION_ID") or about.get("VERSION_CODENAME") or "rolling"
    return f"{about.get('ID', 'linux')}-{version}"


def collect(source: Source, wanted: Distribution, others: Mapping[str, bytes]) -> dict[str, Found]:
    """Give the wanted files by their paths in the image, with the libraries that they and `others` need.

    `others` are the programs and libraries that the image has from elsewhere, by path. Raises Missing.
    """
    files = _named(source, wanted)
    objects = {**others, **{path: found.data for path, found in files.items()}}
    elves = {path: elf for path, data in objects.items() if (elf := _read(path, data))}
    if elves:
        needs = [need for path, elf in elves.items() for need in _needs(path, elf)]
        kind = next(iter(elves.values()))
        needs += [_Need(name, "/usr/lib/the-recipe", kind) for name in wanted.libraries]
        # First of all, since it tells where libraries lie.
        needs.insert(0, _Need(_LIBC, needs[0].by if needs else "/", kind))
        _Closure(source, files, others).fill(needs, wanted)
    return files


def _named(source: Source, wanted: Distribution) -> dict[str, Found]:
    """Give the files that the recipe names, looking at more packages until all are there."""
    while lacking := [
        *(name for name in wanted.programs if source.program(name) is None),
        *(pattern for pattern in wanted.take if not source.matching(pattern)),
    ]:
        if not source.widen(()):
            raise source.lacking(lacking, wanted)
    files = {
        found.path: found
        for pattern in (*wanted.take, *wanted.if_there)
        for found in source.matching(pattern)
        if not any(fnmatchcase(found.path, one) for one in wanted.without)
    }
    for name in wanted.programs:
        found = source.program(name)
        assert found is not None  # or it were lacking
        files[f"/usr/bin/{name}"] = replace(found, path=f"/usr/bin/{name}", executable=True)
    return files


@dataclass(frozen=True, slots=True)
class _Need:
    """A library (or, by its path, the loader) that the ELF file at the path `by` needs."""

    name: str
    by: str
    elf: Elf

    @property
    def directories(self) -> list[str]:
        """Where the file itself wants it looked for."""
        return [merged(expand(one, posixpath.dirname(self.by))) for one in self.elf.search]

    @property
    def path(self) -> str | None:
        """The path, where it is needed by its path."""
        return merged(expand(self.name, posixpath.dirname(self.by))) if "/" in self.name else None


def _read(path: str, data: bytes) -> Elf | None:
    try:
        return Elf.read(data)
    except BrokenElf as error:
        raise BrokenElf(f"{path} is {error}") from None


def _needs(path: str, elf: Elf) -> list[_Need]:
    names = [elf.interpreter, *elf.needed] if elf.interpreter else elf.needed
    return [_Need(name, path, elf) for name in names]


class _Closure:
    """The search for shared libraries: `files` grows until it has all that something in the image needs."""

    def __init__(self, source: Source, files: dict[str, Found], others: Mapping[str, bytes]) -> None:
        self._source = source
        self._files = files
        self._others = others
        # What wheels bring along is found by them, be it by having been loaded before.
        self._known = {posixpath.basename(path) for path in others}
        self._home = ""  # the directory of the C library: where the loader finds libraries without being told

    def fill(self, needs: Sequence[_Need], wanted: Distribution) -> None:
        """Add what is needed. Raises Missing."""
        while needs:
            unmet = []
            new: list[_Need] = []
            for need in needs:
                if self._has(need):
                    continue
                if found := self._find(need):
                    self._files[found.path] = found
                    elf = _read(found.path, found.data)
                    new += _needs(found.path, elf) if elf else []
                else:
                    unmet.append(need)
            if unmet and not new and not self._source.widen([need.name for need in unmet]):
                lacking = sorted({f"{need.name} (which {need.by} needs)" for need in unmet})
                raise self._source.lacking(lacking, wanted)
            needs = unmet + new

    def _has(self, need: _Need) -> bool:
        if need.path:
            return need.path in self._files or need.path in self._others
        paths = [f"{directory}/{need.name}" for directory in need.directories]
        return need.name in self._known or any(path in self._files for path in paths)

    def _find(self, need: _Need) -> Found | None:
        if need.path:
            found = next(iter(self._source.matching(need.path)), None)
            # It is in memory when a library asks for it, and goes by its name.
            self._known |= {posixpath.basename(need.path)} if found else set()
            return found
        if not self._home and need.name != _LIBC:
            return None
        directories = need.directories
        for found in self._source.libraries(need.name, directories):
            elf = _read(found.path, found.data)
            if elf is None or not elf.like(need.elf):
                continue
            place = posixpath.dirname(found.path)
            if place in directories:
                return found
            self._home = self._home or place
            self._known.add(need.name)
            return replace(found, path=f"{self._home}/{need.name}")
        return None
