"""The cluster's own directory in every cgroup hierarchy: made, joined, measured, ended and removed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from cluster.errors import ClusterError

_MOUNTINFO = Path("/proc/self/mountinfo")
# What the kubelet and runc cannot do without.
_NEEDED = ("cpu", "cpuset", "memory", "pids")
# The weight of one processor, on either version.
_SHARES = {"cpu.shares": 1024, "cpu.weight": 100}
_LOOK = 0.01


def hierarchies(mountinfo: Path = _MOUNTINFO) -> list[Path]:
    """Mount points of all cgroup hierarchies: many on version 1, one on version 2, in mount order."""
    return list({point: None for point, _ in _mounted(mountinfo)})


def missing(mountinfo: Path = _MOUNTINFO) -> list[str]:
    """Needed controllers that none of the mounted hierarchies has."""
    found: set[str] = set()
    for point, options in _mounted(mountinfo):
        # Version 1 names its controllers among the mount's options, version 2 in a file.
        found |= options | _words(point / "cgroup.controllers")
    return [name for name in _NEEDED if name not in found]


def _mounted(mountinfo: Path) -> list[tuple[Path, set[str]]]:
    lines = (line.split(" - ") for line in mountinfo.read_text().splitlines())
    return [
        (Path(place.split()[4]), set(kind.split()[2].split(",")))
        for place, kind in lines
        if kind.split()[0] in {"cgroup", "cgroup2"}
    ]


class Cgroups:
    """One cluster's directory of a given name, the same in every hierarchy.

    The node's own programs live in its child `node`; the kubelet makes those of the pods beside it.
    """

    def __init__(self, name: str) -> None:
        self._tops = [point / name for point in hierarchies()]

    def make(self) -> None:
        """Make the directories; raises ClusterError where the machine does not allow it."""
        for top in self._tops:
            try:
                (top / "node").mkdir(parents=True)
                self._prepare(top)
            except OSError as error:
                raise ClusterError(
                    f"control groups cannot be made in {top.parent}: {error.strerror}. "
                    "The embedded cluster needs the machine's own writable cgroup hierarchies: run it on a "
                    "machine or in a privileged container, or name a cluster by --kubeconfig."
                ) from error

    @staticmethod
    def _prepare(top: Path) -> None:
        node = top / "node"
        if (top / "cpuset.mems").exists() and not (top / "cgroup.controllers").exists():
            # On version 1 a new cpuset is empty and accepts no process.
            for name in ("cpuset.cpus", "cpuset.mems"):
                for child in (top, node):
                    (child / name).write_text((child.parent / name).read_text())
        for group in (top, node):
            # A share for each processor, as the machine has for which the cluster stands: otherwise all its
            # programs together would get as much as one other program. The pods get as much from the kubelet.
            for name, unit in _SHARES.items():
                if (group / name).exists():
                    (group / name).write_text(str(unit * (os.cpu_count() or 1)))
        offered = _words(top.parent / "cgroup.controllers")
        if offered >= set(_NEEDED):  # the one hierarchy of version 2
            for parent in (top.parent, top):
                wanted = set(_NEEDED) - _words(parent / "cgroup.subtree_control")
                if wanted:
                    (parent / "cgroup.subtree_control").write_text(" ".join(f"+{one}" for one in wanted))

    def entries(self) -> list[Path]:
        """Files to which a process writes 0 in order to join the node's programs."""
        return [top / "node" / "cgroup.procs" for top in self._tops]

    def processes(self) -> set[int]:
        """Process ids of all that runs in the cluster, seen from outside."""
        found: set[int] = set()
        for top in self._tops:
            for directory, _, _ in os.walk(top):
                try:
                    found.update(int(pid) for pid in (Path(directory) / "cgroup.procs").read_text().split())
                except OSError:
                    continue  # removed while we looked
        return found

    def memory(self) -> int:
        """Bytes of memory that the cluster's processes hold; what several share counts in equal parts.

        What the control groups count leaves out the programs' own pages, which an earlier cluster read.
        """
        return sum(_proportional_share(pid) for pid in self.processes())

    def remove(self, patience: float = 5.0) -> None:
        """End what still runs in the cluster, wait until it has ended, and remove the directories.

        Raises ClusterError when something is left after `patience` seconds.
        """
        deadline = time.monotonic() + patience
        while True:
            for pid in self.processes():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            if all(_remove(top) for top in self._tops):
                return
            if time.monotonic() > deadline:
                left = ", ".join(str(top) for top in self._tops if top.exists())
                raise ClusterError(f"control groups of a dead cluster cannot be removed: {left}")
            time.sleep(_LOOK)


def _remove(top: Path) -> bool:
    """Remove a directory and those below it, deepest first; False while one of them is still in use."""
    try:
        for directory, _, _ in os.walk(top, topdown=False):
            Path(directory).rmdir()
    except OSError:
        return not top.exists()
    return True


def _proportional_share(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # ended while we looked
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _words(file: Path) -> set[str]:
    return set(file.read_text().split()) if file.exists() else set()
