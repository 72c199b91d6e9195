"""A small Debian archive on disk, signed as real ones are, that apt on this machine reads instead of the real one."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from cluster.build import sources
from cluster.build.archive import Lists

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

TOOLS = ("apt-get", "dpkg-deb", "gpg")


class DebianArchive:
    """One suite of one component; what `add` puts into it is offered once `publish` has signed it and apt has heard."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place = place
        self._stanzas: dict[str, str] = {}
        self._keys = place / "keys"
        self._pool = place / "archive"
        self._apt = place / "apt"
        for directory in ("lists/partial", "cache/archives/partial", "parts", "sources"):
            (self._apt / directory).mkdir(parents=True)
        self._keys.mkdir(mode=0o700)
        self._pool.mkdir()
        (self._apt / "status").touch()
        self._gpg("--quick-generate-key", "archive@example.com", "ed25519", "sign", "never")
        keyring = place / "archive.gpg"
        keyring.write_bytes(self._gpg("--export"))
        self.trust(f"signed-by={keyring}")
        (self._apt / "apt.conf").write_text(
            f"""Dir::Etc::sourcelist "{self._apt}/sources.list";
Dir::Etc::sourceparts "{self._apt}/sources";
Dir::Etc::parts "{self._apt}/parts";
Dir::State::lists "{self._apt}/lists";
Dir::State::status "{self._apt}/status";
Dir::Cache "{self._apt}/cache";
APT::Sandbox::User "";
"""
        )
        monkeypatch.setenv("APT_CONFIG", str(self._apt / "apt.conf"))
        monkeypatch.setattr(sources, "_LISTS", Lists())

    def trust(self, options: str) -> None:
        """Give apt the archive as a source with these options."""
        (self._apt / "sources.list").write_text(f"deb [{options}] file:{self._pool} ./\n")

    def add(self, package: str, version: str, files: Mapping[str, bytes | str], depends: str = "") -> str:
        """Add a package: what is bytes becomes a program, text a file, text after "-> " a link. Give its SHA-256."""
        tree = self.place / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "DEBIAN").mkdir(parents=True)
        for name, content in files.items():
            path = tree / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str) and content.startswith("-> "):
                path.symlink_to(content.removeprefix("-> "))
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
                path.chmod(0o4755 if isinstance(content, bytes) else 0o644)
        control = f"Package: {package}\nVersion: {version}\nArchitecture: {_architecture()}\n"
        control += "Maintainer: nobody <nobody@example.com>\nDescription: of a test\n"
        control += f"Depends: {depends}\n" if depends else ""
        (tree / "DEBIAN/control").write_text(control)
        deb = self._pool / f"{package}_{version.rpartition(':')[2]}.deb"
        _run("dpkg-deb", "--root-owner-group", "-Znone", "-b", str(tree), str(deb))
        sha256 = hashlib.sha256(deb.read_bytes()).hexdigest()
        facts = f"Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {sha256}\n"
        self._stanzas[f"{package} {version}"] = control + facts
        return sha256

    def withdraw(self, package: str, version: str) -> None:
        """Take a version away, as archives do when there is a newer one."""
        del self._stanzas[f"{package} {version}"]
        (self._pool / f"{package}_{version.rpartition(':')[2]}.deb").unlink()

    def publish(self, *, signed: bool = True, heard: bool = True) -> None:
        """Write and sign the lists; apt hears of them unless it is to be out of date."""
        packages = "\n".join(self._stanzas.values())
        (self._pool / "Packages").write_text(packages)
        digest = hashlib.sha256(packages.encode()).hexdigest()
        release = self._pool / "Release"
        release.write_text(
            f"Origin: test\nSuite: test\nDate: Thu, 01 Jan 2026 00:00:00 UTC\n"
            f"SHA256:\n {digest} {len(packages.encode())} Packages\n"
        )
        (self._pool / "InRelease").unlink(missing_ok=True)
        if signed:
            self._gpg("--clearsign", "--output", str(self._pool / "InRelease"), str(release))
            release.unlink()
        if heard:
            insecure = [] if signed else ["-o", "Acquire::AllowInsecureRepositories=true"]
            _run("apt-get", "update", "-qq", *insecure)

    def _gpg(self, *arguments: str) -> bytes:
        options = [
            "--homedir",
            str(self._keys),
            "--batch",
            "--yes",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
        ]
        said = _run("gpg", *options, *arguments)
        # It leaves an agent behind, which would outlive the test.
        _run("gpgconf", "--homedir", str(self._keys), "--kill", "gpg-agent")
        return said


def _architecture() -> str:
    return _run("dpkg", "--print-architecture").decode().strip()


def _run(*command: str) -> bytes:
    done = subprocess.run(command, check=False, capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, (command, done.stderr.decode(errors="replace"))
    return done.stdout
