"""Fetches pinned packages from the Python index and Go's module proxy, and lets nothing else in."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.build.progress import under_way
from cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

# The Python of the images that are made of a lock.
_PYTHON = "3.11"


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


def fetch_lock(lock: Path, directory: Path, without: Collection[str] = ()) -> dict[Pin, Path]:
    """Fetch the wheels that a lock pins into a directory of its own; give what was taken, sorted. Raises DownloadError.

    A package may have hashes for several machines, of which the one of this machine's wheel is taken. Packages of
    `without` are left out, and those that the lock has for other machines alone.
    """
    wanted = read_lock(lock, without)
    chosen = directory / "wanted.txt"
    chosen.write_text(
        "".join(
            f"{package}=={version} {' '.join(f'--hash=sha256:{one}' for one in hashes)}\n"
            for (package, version), hashes in wanted.items()
        )
    )
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
    command += ["--python-version", _PYTHON, "--dest", ".", "--requirement", chosen.name]
    said: list[str] = []
    with subprocess.Popen(
        command, cwd=directory, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as pip:
        for line in pip.stdout or ():
            said.append(line)
            if stage := under_way():
                stage.advance(sum(one.startswith("Collecting") for one in said), len(wanted))
    if pip.returncode != 0:
        raise DownloadError(
            f"the wheels of {lock.name} cannot be had from the Python index for this machine "
            f"({platform.machine()}); pip says: {_last_lines(''.join(said))}"
        )
    files = {_sha256(file): file for file in sorted(directory.glob("*.whl"))}
    taken = {}
    for (package, version), hashes in wanted.items():
        found = next((one for one in hashes if one in files), None)
        if found is None:
            raise DownloadError(f"{package} {version} is not what {lock.name} pins: no file has its SHA-256")
        taken[Pin(package, version, found)] = files[found]
    return taken


def read_lock(lock: Path, without: Collection[str] = ()) -> dict[tuple[str, str], list[str]]:
    """Read which packages a lock pins for this machine: name and version, and the SHA-256 of the files of each.

    A package has one line, `name==version [; marker] --hash=sha256:…`, which may be continued as `uv pip compile` does it.
    Raises DownloadError, also where `without` names a package that the lock does not have.
    """
    text = lock.read_text().replace("\\\n", " ")
    pins = [_locked(line) for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    if unknown := sorted(set(without) - {package for (package, _), _, _ in pins}):
        raise DownloadError(f"{lock.name} pins no {', no '.join(unknown)}: do not leave it out")
    return {
        pin: hashes
        for pin, marker, hashes in pins
        if pin[0] not in without and (not marker or _holds(marker))
    }


def _locked(line: str) -> tuple[tuple[str, str], str, list[str]]:
    found = re.fullmatch(r"(\S+)==([^\s;]+)(?:\s*;\s*(.*?))?((?:\s+--hash=sha256:[0-9a-f]{64})+)\s*", line)
    if not found:
        raise DownloadError(f"a lock has lines `name==version --hash=sha256:…`, not {line!r}")
    package, version, marker, hashes = found.groups()
    return (package, version), (marker or "").strip(), hashes.replace("--hash=sha256:", " ").split()


def _holds(marker: str) -> bool:
    """Whether a marker of a lock holds for the images' Python on this machine."""
    # Only locks of many machines have markers, and few images are made of one.
    from packaging.markers import Marker  # noqa: PLC0415 - see above

    return Marker(marker).evaluate({"python_version": _PYTHON, "python_full_version": f"{_PYTHON}.0"})


def fetch_module(module: str, version: str, checksum: str, go: Path, directory: Path) -> Path:
    """Fetch one Go module into a directory of its own; give its zip. Raises DownloadError.

    `checksum` is that of go.sum. Go compares what it fetches with its own data base of checksums as well.
    """
    environment = {
        "GOMODCACHE": str(directory / "modules"),
        "GOFLAGS": "-modcacherw",  # a read-only directory could not be removed by an ordinary user
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    fetched = _run([str(go), "mod", "download", "-json", f"{module}@{version}"], directory, environment)
    try:
        answer = json.loads(fetched.stdout[fetched.stdout.index("{") :])
    except ValueError:
        answer = {"Error": _last_lines(fetched.stdout)}
    if fetched.returncode != 0 or "Zip" not in answer:
        raise DownloadError(f"the Go module {module} {version} cannot be had; go says: {answer.get('Error')}")
    if answer.get("Sum") != checksum:
        raise DownloadError(
            f"{module} {version} is not what the recipe pins: sum {answer.get('Sum')} instead of {checksum}"
        )
    return Path(answer["Zip"])


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


def _run(
    command: Sequence[str], directory: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            cwd=directory,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except FileNotFoundError:
        raise DownloadError(
            f"the images are made of packages, and {command[0]}, which fetches them, is missing"
        ) from None


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


def _last_lines(text: str) -> str:
    return " / ".join(text.strip().splitlines()[-3:])
