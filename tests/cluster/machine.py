"""What a cluster must leave alone on the machine, as it is now."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_SYSCTLS = Path("/proc/sys")
# Writable, but the kernel counts in it.
_COUNTERS = frozenset({"kernel/ns_last_pid"})
# Where kubelets, container runtimes and CNI plugins leave things; of the crowded ones only the first level.
_TREES = (Path("/var/lib"), Path("/etc"), Path("/usr/libexec/kubernetes"), Path("/opt/containerd"))
_DIRECTORIES = (
    Path("/"),
    Path("/run"),
    Path("/run/netns"),
    Path("/var/log"),
    Path("/opt"),
    Path("/srv"),
    Path.home(),
)


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _routes() -> str:
    return _said("ip", "-4", "route", "show", "table", "all") + _said(
        "ip", "-6", "route", "show", "table", "all"
    )


def _firewall() -> str:
    # Without the counters.
    return _said("nft", "--stateless", "list", "ruleset") + _said("ipset", "list", "-name")


def _interfaces() -> list[str]:
    # Name, state and addresses; not for how much longer an address is valid.
    return sorted(_said("ip", "-brief", "address").splitlines())


def _names() -> dict[str, bytes]:
    files = (
        Path("/etc/resolv.conf"),
        Path("/etc/hosts"),
        Path("/etc/hostname"),
        Path("/proc/sys/kernel/hostname"),
    )
    return {str(file): file.read_bytes() for file in files if file.exists()}


def _files() -> list[str]:
    deep = [str(path) for tree in _TREES for path in tree.rglob("*")]
    return sorted(deep + [str(path) for directory in _DIRECTORIES for path in directory.glob("*")])


def _mounts() -> list[str]:
    return sorted(Path("/proc/self/mountinfo").read_text().splitlines())


def _sysctls() -> dict[str, str]:
    """Give every setting of the kernel that can be written, in this network namespace."""
    found = {}
    for directory, _, names in os.walk(_SYSCTLS):
        for name in names:
            file = Path(directory, name)
            key = str(file.relative_to(_SYSCTLS))
            # Some are write-only, and some have no value before they are first written.
            if key not in _COUNTERS and file.stat().st_mode & 0o200:
                with suppress(OSError):
                    found[key] = file.read_text(errors="replace")
    return found


FACTS: dict[str, Callable[[], Any]] = {
    "routes": _routes,
    "firewall": _firewall,
    "interfaces": _interfaces,
    "names": _names,
    "files": _files,
    "mounts": _mounts,
    "sysctls": _sysctls,
}
"""How to look at each thing that a cluster must leave alone."""


def look() -> dict[str, Any]:
    """Look at all of them."""
    return {name: fact() for name, fact in FACTS.items()}
