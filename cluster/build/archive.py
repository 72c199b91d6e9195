"""Asks apt what the archive of this machine's distribution offers, and fetches that, signed and whole."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

# Whatever the machine allows: what nobody has signed is not for an image.
_SIGNED = (
    *("-o", "APT::Get::AllowUnauthenticated=false"),
    *("-o", "Acquire::AllowInsecureRepositories=false"),
    *("-o", "Acquire::AllowDowngradeToInsecureRepositories=false"),
)
_UPDATE = "run `apt-get update` as root, and see that the machine reaches its archive"


class ArchiveError(ClusterError):
    """A package cannot be had from the archive; the text says which, why, and what to do."""


class OutdatedError(ArchiveError):
    """A package cannot be had as the lists of packages say: newer lists may help."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A version of a package that the archive has: `depends` are alternatives, of which one each is needed."""

    package: str
    version: str
    sha256: str
    depends: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


def is_there() -> bool:
    """Whether this machine has the tools that read a Debian archive."""
    return all(shutil.which(one) for one in ("apt-get", "apt-cache", "dpkg-deb", "dpkg"))


@cache
def architecture() -> str:
    """Name this machine's architecture as Debian does: amd64, arm64."""
    return _run(["dpkg", "--print-architecture"]).stdout.strip()


class Lists:
    """The lists of packages that this machine has; they are brought up to date at most once."""

    def __init__(self) -> None:
        self.said = ""
        """What came of bringing them up to date; empty where that was not done."""

    def update(self) -> bool:
        """Bring them up to date, which needs root; give whether that was done now."""
        if self.said or os.geteuid() != 0:
            return False
        # It fails where one of several sources is out of reach, and what is needed may still be had.
        done = _run(["apt-get", "update", "-q", "--error-on=any", *_SIGNED])
        self.said = _complaints(done.stdout) or "the lists are up to date"
        return True


class Archive:
    """The archive, as far as the lists of this machine know it; `directory` is its own, and lasts as long as it."""

    def __init__(self, directory: Path, lists: Lists) -> None:
        self.lists = lists
        self._directory = directory
        self._offers: dict[str, list[Offer]] = {}

    def offers(self, packages: Iterable[str]) -> dict[str, list[Offer]]:
        """Give what there is of each package, the version that apt would take first."""
        wanted = list(packages)
        if unknown := [package for package in wanted if package not in self._offers]:
            self._offers |= {package: self._shown(package, said) for package, said in self._ask(unknown)}
        return {package: self._offers[package] for package in wanted}

    def fetch(self, offers: Collection[Offer]) -> dict[Offer, Path]:
        """Fetch packages; give the file of each. Raises ArchiveError, OutdatedError where newer lists may help."""
        names = [f"{offer.package}={offer.version}" for offer in offers]
        fetched = self._apt("apt-get", "download", "-q", *_SIGNED, *names)
        if fetched.returncode != 0:
            raise self._why_not(fetched.stdout)
        return {offer: _checked(offer, self._directory) for offer in offers}

    def lacks(self, wanted: Iterable[str]) -> OutdatedError:
        """Say that the archive has none of the alternatives of some packages."""
        names = ", ".join(sorted(wanted))
        said = f"; apt-get update says: {self.lists.said}" if self.lists.said else f"; {_UPDATE}"
        return OutdatedError(f"the archive of this machine has no package {names}{said}")

    def _apt(self, tool: str, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        # Where the lists are parsed anew for each question (in a container image of Debian), each takes half a second.
        places = [
            f"Dir::Cache::{name}={self._directory.resolve()}/{name}.bin"
            for name in ("pkgcache", "srcpkgcache")
        ]
        return _run([tool, "-o", places[0], "-o", places[1], command, *arguments], self._directory)

    def _ask(self, packages: Sequence[str]) -> list[tuple[str, list[str]]]:
        """Give the stanzas of each package, those of the version that apt would take first."""
        every = _stanzas(self._apt("apt-cache", "show", "--all-versions", *packages).stdout)
        several = [package for package in packages if len(every.get(package, [])) > 1]
        first = (
            _stanzas(self._apt("apt-cache", "show", "--no-all-versions", *several).stdout) if several else {}
        )
        return [(package, [*first.get(package, []), *every.get(package, [])]) for package in packages]

    def _shown(self, package: str, stanzas: Iterable[str]) -> list[Offer]:
        offers = {}
        for stanza in stanzas:
            fields = _fields(stanza)
            # The stanza of an installed package that no source has any more has no hash.
            if "SHA256" in fields and fields.get("Architecture") in {"all", architecture()}:
                depends = [fields[name] for name in ("Pre-Depends", "Depends") if fields.get(name)]
                offers[fields["Version"]] = Offer(
                    package, fields["Version"], fields["SHA256"], _alternatives(", ".join(depends))
                )
        return list(offers.values())

    def _why_not(self, said: str) -> ArchiveError:
        if "authenticated" in said:
            return ArchiveError(
                "apt cannot vouch for the packages of an image: a source of this machine is not signed by a key that "
                f"apt trusts; sign it, or take it out of the sources; apt-get says: {_complaints(said)}"
            )
        return OutdatedError(
            f"packages of the distribution cannot be fetched; {_UPDATE}; apt-get says: {_complaints(said)}"
        )


def _run(command: Sequence[str], directory: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        check=False,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _stanzas(text: str) -> dict[str, list[str]]:
    """Sort what `apt-cache show` says by packages."""
    found: dict[str, list[str]] = {}
    for stanza in text.split("\n\n"):
        if match := re.search(r"^Package: (\S+)$", stanza, re.MULTILINE):
            found.setdefault(match[1], []).append(stanza)
    return found


def _fields(stanza: str) -> dict[str, str]:
    lines = (line.partition(": ") for line in stanza.splitlines() if line[:1].isalpha())
    return {name: value for name, _, value in lines}


def _alternatives(depends: str) -> tuple[tuple[str, ...], ...]:
    """Read the names out of a field such as `libc6 (>= 2.34), default-mta | mail-transport-agent, python3:any`."""
    return tuple(
        tuple(re.split(r"[\s:(]", name.strip(), maxsplit=1)[0] for name in one.split("|"))
        for one in depends.split(",")
        if one.strip()
    )


def _checked(offer: Offer, directory: Path) -> Path:
    """Give the file of a package. apt has compared it with its signed lists already; this compares it with ours."""
    for file in directory.glob(f"{offer.package}_*.deb"):
        with file.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() == offer.sha256:
                return file
    raise ArchiveError(
        f"{offer} is not what the lists of packages say: no file has the SHA-256 {offer.sha256}"
    )


def _complaints(said: str) -> str:
    """Give the last errors of apt-get in one line, or else the last lines."""
    lines = [line.strip() for line in said.strip().splitlines()]
    wrong = [line for line in lines if line.startswith(("E:", "W:", "Err:"))]
    return " / ".join((wrong or lines)[-3:])
