"""What a cluster must leave alone on the machine, as it is now."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

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


def _said(*command: str) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def _routes() -> list[str]:
    return [line for family in ("-4", "-6") for line in _said("ip", family, "route", "show", "table", "all")]


def _firewall() -> list[str]:
    # Without the counters.
    return _said("nft", "--stateless", "list", "ruleset") + _said("ipset", "list", "-name")


def _interfaces() -> list[str]:
    # Name, state and addresses; not for how much longer an address is valid.
    return _said("ip", "-brief", "address")


def _names() -> list[str]:
    """Give what this machine calls itself and others."""
    files = (Path(f"/etc/{name}") for name in ("resolv.conf", "hosts", "hostname"))
    return [f"{file}: {line}" for file in files if file.exists() for line in file.read_text().splitlines()]


def _files() -> list[str]:
    deep = [str(path) for tree in _TREES for path in tree.rglob("*")]
    return deep + [str(path) for directory in _DIRECTORIES for path in directory.glob("*")]


def _mounts() -> list[str]:
    return Path("/proc/self/mountinfo").read_text().splitlines()


def _sysctls() -> list[str]:
    """Give every setting of the kernel that can be written, in this network namespace."""
    found = []
    for directory, _, names in os.walk(_SYSCTLS):
        for name in names:
            file = Path(directory, name)
            key = str(file.relative_to(_SYSCTLS))
            # Some are write-only, and some have no value before they are first written.
            if key not in _COUNTERS and file.stat().st_mode & 0o200:
                with suppress(OSError):
                    found.append(f"{key} = {file.read_text(errors='replace').strip()}")
    return found


FACTS: dict[str, Callable[[], list[str]]] = {
    "routes": _routes,
    "firewall": _firewall,
    "interfaces": _interfaces,
    "names": _names,
    "files": _files,
    "mounts": _mounts,
    "sysctls": _sysctls,
}
"""How to look at each thing that a cluster must leave alone."""

Machine = dict[str, list[str]]


def look() -> Machine:
    """Look at all of them."""
    return {name: fact() for name, fact in FACTS.items()}


def changes(before: Machine, *names: str) -> list[str]:
    """Say what is not as it was before, or what of it goes by the given names: a line for each difference."""
    told = []
    for name in names or FACTS:
        was, now = Counter(before[name]), Counter(FACTS[name]())
        told += [f"{name}: gone is {line}" for line in was - now]
        told += [f"{name}: new is {line}" for line in now - was]
    return told
