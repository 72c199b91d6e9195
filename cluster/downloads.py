"""Fetches pinned packages from the Debian archive and the Python index, and lets nothing else in."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cluster.errors import ClusterError
from cluster.progress import under_way

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


class DownloadError(ClusterError):
    """A pinned package cannot be had, or is not what the pin says; the text says what to do."""


@dataclass(frozen=True)
class Pin:
    """One exact package: its name, its version, and the SHA-256 of its file in hexadecimal."""

    package: str
    version: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


def fetch_debs(pins: Iterable[Pin], directory: Path) -> dict[Pin, Path]:
    """Fetch Debian packages into a directory of their own; give the file of each.

    The lists of packages are brought up to date once when they do not know a pinned version, which
    needs root. Raises DownloadError.
    """
    wanted = list(pins)
    command = ["apt-get", "download", "-qq", *(f"{pin.package}={pin.version}" for pin in wanted)]
    fetched = _run(command, directory)
    if fetched.returncode != 0 and os.geteuid() == 0:
        _run(["apt-get", "update", "-qq"], directory)
        fetched = _run(command, directory)
    if fetched.returncode != 0:
        raise DownloadError(_why_not(wanted, fetched.stdout))
    files = {pin: _only(directory, f"{pin.package}_*.deb") for pin in wanted}
    for pin, file in files.items():
        _check(pin, file)
    return files


def fetch_lock(lock: Path, directory: Path) -> list[Path]:
    """Fetch every wheel that a lock pins into a directory of its own; give their files, sorted. Raises DownloadError."""
    pins = [_pinned(line) for line in lock.read_text().splitlines() if line and not line.startswith("#")]
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--progress-bar",
        "off",
        "--disable-pip-version-check",
    ]
    command += ["--no-cache-dir", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command += ["--python-version", "3.11", "--dest", ".", "--requirement", str(lock.resolve())]
    said: list[str] = []
    with subprocess.Popen(
        command, cwd=directory, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as pip:
        for line in pip.stdout or ():
            said.append(line)
            if stage := under_way():
                stage.advance(sum(one.startswith("Collecting") for one in said), len(pins))
    if pip.returncode != 0:
        raise DownloadError(
            f"the wheels of {lock.name} cannot be had from the Python index; pip says: {_last_lines(''.join(said))}"
        )
    files = sorted(directory.glob("*.whl"))
    found = {_sha256(file) for file in files}
    for pin in pins:
        if pin.sha256 not in found:
            raise DownloadError(f"{pin} is not what {lock.name} pins: no file has the SHA-256 {pin.sha256}")
    return files


def _pinned(line: str) -> Pin:
    found = re.fullmatch(r"(\S+)==(\S+) --hash=sha256:([0-9a-f]{64})", line)
    if not found:
        raise DownloadError(f"a lock has lines `name==version --hash=sha256:…`, not {line!r}")
    return Pin(*found.groups())


def fetch_wheel(pin: Pin, directory: Path) -> Path:
    """Fetch one wheel from the Python index into a directory of its own. Raises DownloadError."""
    requirement = directory / "requirement.txt"
    requirement.write_text(f"{pin.package}=={pin.version} --hash=sha256:{pin.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-cache-dir", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    fetched = _run([*command, "--dest", ".", "--requirement", requirement.name], directory)
    if fetched.returncode != 0:
        raise DownloadError(
            f"the wheel {pin} with SHA-256 {pin.sha256} cannot be had from the Python index; "
            f"pip says: {_last_lines(fetched.stdout)}"
        )
    wheel = _only(directory, "*.whl")
    _check(pin, wheel)
    return wheel


def _run(command: Sequence[str], directory: Path | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            cwd=directory,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except FileNotFoundError:
        raise DownloadError(f"the images are made of Debian packages, and {command[0]} is missing") from None


def _only(directory: Path, pattern: str) -> Path:
    (file,) = directory.glob(pattern)
    return file


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check(pin: Pin, file: Path) -> None:
    found = _sha256(file)
    if found != pin.sha256:
        raise DownloadError(f"{pin} is not what the recipe pins: SHA-256 {found} instead of {pin.sha256}")


def _why_not(pins: Iterable[Pin], said: str) -> str:
    """Compare the pins with what the archive offers; this is what goes wrong when Debian moves on."""
    gone = [
        f"{pin}: the archive offers {', '.join(offers) or 'no such package'}"
        for pin in pins
        if pin.version not in " ".join(offers := _offers(pin.package)).split()
    ]
    if not gone:
        return f"the Debian packages cannot be fetched; apt-get says: {_last_lines(said)}"
    remedy = "pin what it offers, or run `apt-get update` when the lists are old"
    return "\n  ".join([f"the Debian archive does not have every pinned package ({remedy}):", *gone])


def _offers(package: str) -> list[str]:
    """List what the archive has of a package, newest first, as `VERSION (SHA-256 …)`."""
    offers = []
    for stanza in _run(["apt-cache", "show", package]).stdout.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in stanza.splitlines() if line[:1].isalpha() and ": " in line
        )
        if "SHA256" in fields:  # the stanza of an installed package has none
            offers.append(f"{fields['Version']} (SHA-256 {fields['SHA256']})")
    return offers


def _last_lines(text: str) -> str:
    return " / ".join(text.strip().splitlines()[-3:])
