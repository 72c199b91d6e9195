"""A root tree of a distribution: made from its archive, entered as a machine of its own on this one's kernel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from cluster.build import oci

# What a machine has on which somebody starts: the rest is for set-up to bring.
_PACKAGES: Final = "make,python3,python3-venv,git,ca-certificates"
_BUNDLE: Final = Path("/etc/ssl/certs/ca-certificates.crt")
# What decides how the registries are reached; nothing else of this machine's environment gets in.
_PASSED_ON: Final = (
    "GO",
    "PIP_",
    "SSL_",
    "REQUESTS_",
    "CURL_",
    "HTTP_",
    "HTTPS_",
    "NO_PROXY",
    "http",
    "no_proxy",
)
_LABEL: Final = "io.chroma-conformance.packages"
_NOT_PASSED_ON: Final = frozenset({"PIP_FIND_LINKS"})
# Process 1 of fresh namespaces; $1 is the tree, the rest the command. A chroot alone is not enough: the cluster makes mounts.
_ENTER: Final = """
tree=$1
shift
mount --bind "$tree" "$tree"
mount -t proc proc "$tree/proc"
mount --rbind /sys "$tree/sys"
mount --rbind /dev "$tree/dev"
mount -t tmpfs -o mode=755 tmpfs "$tree/run"
mount -t tmpfs -o mode=1777 tmpfs "$tree/tmp"
mkdir -p "$tree/.machine"
cd "$tree"
pivot_root . .machine
umount --lazy /.machine
rmdir /.machine
cd /root
exec "$@"
"""


@dataclass(frozen=True)
class Tree:
    """The root tree of one suite of Debian, such as "trixie"."""

    suite: str
    root: Path

    def make(self) -> None:
        """Make it anew from the archive that this machine's apt uses; raises CalledProcessError."""
        self.remove()
        self.root.parent.mkdir(parents=True, exist_ok=True)
        archive, security = _archives()
        sources = [
            f"deb {archive} {self.suite} main",
            f"deb {archive} {self.suite}-updates main",
            f"deb {security} {self.suite}-security main",
        ]
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}", self.suite]
        subprocess.run([*command, str(self.root), *sources], check=True)
        for name in ("resolv.conf", "hosts"):
            shutil.copy(Path("/etc", name), self.root / "etc" / name)
        # With an authority of this machine's own, behind which its registries may be.
        shutil.copy(_BUNDLE, self.root / _BUNDLE.relative_to("/"))

    def remove(self) -> None:
        """Remove it; nothing is mounted there but in namespaces that have ended."""
        shutil.rmtree(self.root, ignore_errors=True)

    def clone(self, checkout: Path) -> None:
        """Clone a checkout's HEAD to /root/chroma-conformance."""
        target = self.root / "root/chroma-conformance"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(checkout), str(target)], check=True)

    def take_programs(self, cache: Path) -> None:
        """Give it the Go programs of this machine's cache, and the Go whose version is part of their key."""
        goes = shutil.which("go")
        if goes is None or not (cache / "programs").is_dir():
            return
        go = Path(goes).resolve()
        home = self.root / "usr/local/go"
        (home / "bin").mkdir(parents=True)
        shutil.copy(go, home / "bin/go")
        shutil.copy(go.parent.parent / "VERSION", home / "VERSION")
        (self.root / "usr/local/bin/go").symlink_to("../go/bin/go")
        place = self.root / "root/.cache/chroma-conformance/programs"
        shutil.copytree(cache / "programs", place, symlinks=True)

    def packages(self) -> dict[str, str]:
        """Return the versions of the packages that its images were made of, by their names."""
        found = {}
        for layout in (self.root / "root/.cache/chroma-conformance/image").glob("*"):
            (manifest,) = oci.read_index(layout)
            config = json.loads(oci.blob(layout, manifest["digest"]).read_bytes())["config"]
            labels = json.loads(oci.blob(layout, config["digest"]).read_bytes())["config"].get("Labels", {})
            found.update({one["name"]: one["version"] for one in json.loads(labels.get(_LABEL, "[]"))})
        return found

    def run(self, script: str, log: IO[bytes]) -> int:
        """Run a bash script in the tree as root of fresh mount and process namespaces; gives its exit code."""
        namespaces = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private")
        inside = ["env", "-i", *_environment(), "bash", "-c", script]
        done = subprocess.run(
            [*namespaces, "sh", "-ec", _ENTER, "sh", str(self.root), *inside],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.returncode


def _environment() -> list[str]:
    own = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
    }
    passed = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_PASSED_ON) and name not in _NOT_PASSED_ON
    }
    return [
        f"{name}={value}" for name, value in {**passed, **own, "DEBIAN_FRONTEND": "noninteractive"}.items()
    ]


def _archives() -> tuple[str, str]:
    """Return where this machine's apt takes Debian's packages and its security updates."""
    said = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(ORIGIN)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [line.split("|") for line in said.splitlines()]
    debian = {release: uri for uri, release, origin in rows if origin == "Debian"}
    archive = next(uri for release, uri in debian.items() if "-" not in release)
    security = next((uri for release, uri in debian.items() if release.endswith("-security")), archive)
    return archive, security
