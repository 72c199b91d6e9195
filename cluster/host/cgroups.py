"""The cluster's own directory in every cgroup hierarchy: made, joined, measured, ended and removed."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOUNTINFO: Final = Path("/proc/self/mountinfo")
# Where the kubelet and runc look for them. What is mounted elsewhere is a copy, such as that of another root tree.
_ROOT: Final = Path("/sys/fs/cgroup")
# What the kubelet and runc cannot do without.
_NEEDED: Final = ("cpu", "cpuset", "memory", "pids")
# What is handed down on version 2. The kubelet ends unless it gets each of the first five that the machine has; the
# last one counts what pods read and write.
_HANDED_DOWN: Final = frozenset({*_NEEDED, "hugetlb", "io"})
# The weight of one processor, on either version.
_SHARES: Final = {"cpu.shares": 1024, "cpu.weight": 100}
# Where the processes of a container's topmost group go: on version 2, a group that hands controllers down must hold no
# process. Only the machine's own root group may.
_ASIDE: Final = "outside-clusters"
_ROUNDS: Final = 50
_LOOK: Final = 0.01


@dataclass(frozen=True)
class Hierarchy:
    """One mounted cgroup hierarchy; `controllers` are those that it offers (and, on version 1, its other options)."""

    point: Path
    version: int
    controllers: frozenset[str]


def hierarchies(mountinfo: Path = _MOUNTINFO, root: Path = _ROOT) -> list[Hierarchy]:
    """Return the hierarchies that a kubelet uses: many on version 1, one on version 2, in mount order.

    A machine that mounts version 2 beside version 1 (hybrid) has both in the list.
    """
    found: dict[Path, Hierarchy] = {}
    for line in mountinfo.read_text().splitlines():
        place, _, kind = (part.split() for part in line.partition(" - "))
        point = Path(place[4])
        if not point.is_relative_to(root):
            continue
        if kind[0] == "cgroup":
            # Version 1 names its controllers among the mount's options, version 2 in a file.
            found[point] = Hierarchy(point, 1, frozenset(kind[2].split(",")))
        elif kind[0] == "cgroup2":
            found[point] = Hierarchy(point, 2, frozenset(_words(point / "cgroup.controllers")))
    return list(found.values())


def missing(mountinfo: Path = _MOUNTINFO, root: Path = _ROOT) -> list[str]:
    """Return the needed controllers that this machine does not offer, each with what is known of the reason.

    runc goes by what is mounted on /sys/fs/cgroup itself: version 2, or else the hierarchies of version 1 below it. On
    a hybrid machine a controller that only version 2 has is therefore out of reach.
    """
    found = hierarchies(mountinfo, root)
    unified = any(one.point == root and one.version == 2 for one in found)
    usable = {name for one in found if unified or one.version == 1 for name in one.controllers}
    elsewhere = {name for one in found for name in one.controllers} - usable
    hint = " (only version 2 has it, beside hierarchies of version 1: boot with version 2 alone)"
    return [f"{name}{hint if name in elsewhere else ''}" for name in _NEEDED if name not in usable]


class Cgroups:
    """One cluster's directory of a given name, the same in every hierarchy.

    The node's own programs live in its child `node`; the kubelet makes those of the pods beside it.
    """

    def __init__(self, name: str) -> None:
        self._hierarchies = hierarchies()
        self._name = name
        self._tops = [one.point / name for one in self._hierarchies]

    def make(self) -> None:
        """Make the directories; raises ClusterError where the machine does not allow it."""
        for hierarchy in self._hierarchies:
            top = hierarchy.point / self._name
            try:
                with _alone(hierarchy.point):
                    (top / "node").mkdir(parents=True)
                    _prepare(hierarchy, top)
            except OSError as error:
                raise ClusterError(
                    f"control groups cannot be made in {top.parent}: {error.strerror}. "
                    "The embedded cluster needs the machine's own writable cgroup hierarchies: run it on a "
                    "machine or in a privileged container, or name a cluster by --kubeconfig."
                ) from error

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

    def remove(self, patience: float = 30.0) -> None:
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
                for hierarchy in self._hierarchies:
                    _bring_back(hierarchy)
                return
            if time.monotonic() > deadline:
                left = ", ".join(str(top) for top in self._tops if top.exists())
                raise ClusterError(f"control groups of a dead cluster cannot be removed: {left}")
            time.sleep(_LOOK)


@contextmanager
def _alone(point: Path) -> Iterator[None]:
    """Change the topmost groups of a hierarchy without another cluster doing so."""
    descriptor = os.open(point, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _prepare(hierarchy: Hierarchy, top: Path) -> None:
    groups = (top, top / "node")
    if hierarchy.point == _ROOT:  # of version 2, and the only one
        wanted = _HANDED_DOWN & hierarchy.controllers
        _hand_down(hierarchy.point, wanted)
        _hand_down(top, wanted)
    elif (top / "cpuset.mems").exists():
        # On version 1 a new cpuset is empty and accepts no process.
        for name in ("cpuset.cpus", "cpuset.mems"):
            for group in groups:
                (group / name).write_text((group.parent / name).read_text())
    for group in groups:
        # A share for each processor, as the machine has for which the cluster stands: otherwise all its
        # programs together would get as much as one other program. The pods get as much from the kubelet.
        for name, unit in _SHARES.items():
            if (group / name).exists():
                (group / name).write_text(str(unit * (os.cpu_count() or 1)))


def _hand_down(group: Path, controllers: frozenset[str]) -> None:
    """Let the children of a group of version 2 have these controllers."""
    wanted = controllers - _words(group / "cgroup.subtree_control")
    if not wanted:
        return
    order = " ".join(f"+{one}" for one in sorted(wanted))
    try:
        (group / "cgroup.subtree_control").write_text(order)
    except OSError as error:
        # A group with processes: a container's topmost one, whose processes have to stand in a child of it.
        if error.errno != errno.EBUSY:
            raise
        (group / _ASIDE).mkdir(exist_ok=True)
        _move(group, group / _ASIDE)
        (group / "cgroup.subtree_control").write_text(order)


def _move(source: Path, target: Path) -> None:
    """Move all processes of a group to another one; those that start others meanwhile want several rounds."""
    for _ in range(_ROUNDS):
        # One from outside of the container reads as 0, which would stand for whoever writes it.
        pids = [pid for pid in (source / "cgroup.procs").read_text().split() if pid != "0"]
        if not pids:
            return
        for pid in pids:
            with suppress(ProcessLookupError):
                (target / "cgroup.procs").write_text(pid)


def _bring_back(hierarchy: Hierarchy) -> None:
    """Let the processes that went aside for clusters return once there is none; what is not possible stays as it is."""
    point, aside = hierarchy.point, hierarchy.point / _ASIDE
    if not aside.exists():
        return
    with _alone(point), suppress(OSError):
        if [child for child in point.iterdir() if child.is_dir() and child != aside]:
            return
        handed_down = sorted(_words(point / "cgroup.subtree_control"))
        (point / "cgroup.subtree_control").write_text(" ".join(f"-{one}" for one in handed_down))
        _move(aside, point)
        aside.rmdir()


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
