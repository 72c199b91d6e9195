"""The Debian packages whose programs the embedded cluster runs: found by their files, installed where possible."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.build.progress import Timings
from cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where the programs of packages are: an ordinary user's PATH often lacks the sbin directories."""

_POLICY = Path("/usr/sbin/policy-rc.d")
_OUR_POLICY = "# made by chroma-conformance, process "
_DEBIAN = Path("/etc/debian_version")
_OUTPUT_LINES = 15
_INSTALLERS = {
    "apt-get": "apt-get install --no-install-recommends",
    "dnf": "dnf install",
    "zypper": "zypper install",
    "pacman": "pacman -S",
    "apk": "apk add",
}
# What goes by another name where packages are not Debian's, by the tool that installs them.
_ELSEWHERE = {
    "dnf": {"conntrack": "conntrack-tools", "iproute2": "iproute", "mount": "util-linux"},
    "zypper": {
        "containernetworking-plugins": "cni-plugins",
        "conntrack": "conntrack-tools",
        "mount": "util-linux",
    },
    "pacman": {
        "containernetworking-plugins": "cni-plugins",
        "conntrack": "conntrack-tools",
        "mount": "util-linux",
    },
    "apk": {"containernetworking-plugins": "cni-plugins", "conntrack": "conntrack-tools"},
}


class PackagesMissing(ClusterError):  # noqa: N818 - names the fact, as the message does
    """Programs are missing and could not be installed; the message names each and the remedy."""


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian package and the files and programs for which it is needed.

    What holds a "/" is a path, anything else a program found on SYSTEM_PATH.
    """

    name: str
    needed: tuple[str, ...]

    def missing(self, path: str = SYSTEM_PATH) -> list[str]:
        """Return what is needed of the package and not there."""
        return [item for item in self.needed if not _found(item, path)]


_CNI_PLUGINS = ("ptp", "host-local", "portmap", "loopback")
# Of Debian, of Fedora and openSUSE, and where upstream's own archive is unpacked by custom.
_CNI_DIRECTORIES = ("/usr/lib/cni", "/usr/libexec/cni", "/opt/cni/bin")


def cni_directory() -> str:
    """Return the directory that holds the network plugins: the first one that does, else Debian's."""
    return next(
        (one for one in _CNI_DIRECTORIES if all(Path(one, plugin).exists() for plugin in _CNI_PLUGINS)),
        _CNI_DIRECTORIES[0],
    )


PACKAGES = (
    Package("containerd", ("containerd", "containerd-shim-runc-v2", "ctr")),
    Package("runc", ("runc",)),
    Package(
        "containernetworking-plugins",
        tuple(f"{cni_directory()}/{plugin}" for plugin in _CNI_PLUGINS),
    ),
    Package("nftables", ("nft",)),
    Package("iptables", ("iptables", "iptables-save", "iptables-restore")),
    Package("ipset", ("ipset",)),
    Package("conntrack", ("conntrack",)),
    Package("xfsprogs", ("mkfs.xfs", "xfs_growfs")),
    # For those who paste what they are shown.
    Package("curl", ("curl",)),
    # In every Debian, but not in every container image made of it.
    Package("iproute2", ("ip",)),
    Package("mount", ("mount", "umount", "losetup")),
    Package("util-linux", ("unshare", "nsenter", "setpriv")),
)


def missing_packages() -> dict[str, list[str]]:
    """Return the packages that lack something, each with what it lacks; takes milliseconds."""
    return {package.name: missing for package in PACKAGES if (missing := package.missing())}


def ensure_packages(timings: Timings | None = None) -> None:
    """Install what is missing with apt-get as root on Debian and Ubuntu.

    Elsewhere, and when apt-get fails, raises one PackagesMissing that names all. Starts no service.
    """
    _remove_dead_policy()
    missing = missing_packages()
    if not missing:
        return
    reason = _why_not_to_install()
    if reason:
        raise _missing(missing, reason)
    with (timings or Timings()).stage(f"installing {', '.join(missing)}") as stage:
        stage.doing("asking for the newest lists")
        # Fails where one of several sources is out of reach, and what is needed may still be had.
        _apt_get("update")
        stage.doing("installing")
        failure = _install(list(missing))
    missing = missing_packages()
    if missing:
        raise _missing(missing, failure or "apt-get installed the packages without them")


def how_to_install(packages: Iterable[str]) -> str:
    """Give the command by which this machine gets packages of Debian's names, by the tool that is there."""
    tool = next((tool for tool in _INSTALLERS if shutil.which(tool)), "")
    names = dict.fromkeys(_ELSEWHERE.get(tool, {}).get(name, name) for name in packages)
    return f"{_INSTALLERS.get(tool, 'install, by the means of this machine:')} {' '.join(names)}"


def _found(item: str, path: str) -> bool:
    return Path(item).exists() if "/" in item else shutil.which(item, path=path) is not None


def _why_not_to_install() -> str:
    """Return why this machine gets no packages from us, or an empty text."""
    if not _DEBIAN.exists() or shutil.which("apt-get") is None:
        return "this is neither Debian nor Ubuntu, so nothing was installed"
    if os.geteuid() != 0:
        return "only root can install them"
    return ""


def _missing(missing: dict[str, list[str]], reason: str) -> PackagesMissing:
    lines = [f"  {name}: {', '.join(items)}" for name, items in missing.items()]
    remedy = how_to_install(missing)
    return PackagesMissing(
        "\n".join(
            [
                f"the embedded cluster needs programs that are not here; {reason}:",
                *lines,
                f"remedy, as root: {remedy} (or your distribution's packages of these programs)",
            ]
        )
    )


def _install(names: list[str]) -> str:
    """Install the packages, and return what apt-get said where that failed."""
    with _no_service_starts():
        return _apt_get("install", "--yes", "--no-install-recommends", *names)


def _apt_get(*arguments: str) -> str:
    """Return an empty text on success, else the end of the output."""
    done = subprocess.run(
        # Another apt-get may be at work, such as the daily one of a fresh virtual machine.
        ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-q", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return ""
    end = "\n".join(f"    {line}" for line in done.stdout.splitlines()[-_OUTPUT_LINES:])
    return f"apt-get {arguments[0]} ended with {done.returncode}:\n{end}\n  missing"


@contextmanager
def _no_service_starts() -> Iterator[None]:
    """Forbid packages to start services meanwhile: Debian's own way is a policy-rc.d that answers 101.

    A policy that the machine already has stays, and holds.
    """
    _remove_dead_policy()
    try:
        descriptor = os.open(_POLICY, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o755)
    except FileExistsError:
        yield
        return
    try:
        with os.fdopen(descriptor, "w") as policy:
            policy.write(f"#!/bin/sh\n{_OUR_POLICY}{os.getpid()}\nexit 101\n")
        yield
    finally:
        _POLICY.unlink(missing_ok=True)


def _remove_dead_policy() -> None:
    """Remove the policy of a run that was killed: left behind, no package could ever start a service again."""
    try:
        owner = _POLICY.read_text().partition(_OUR_POLICY)[2].split()
    except (OSError, ValueError):
        return
    if owner and not Path("/proc", owner[0]).exists():
        _POLICY.unlink(missing_ok=True)
