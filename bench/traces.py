"""What a cluster has of the machine while it lives, and what of that is left after its end."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.build.cache import default_root
from cluster.runs import Living, Runs
from support.core.wait import wait_for
from tests.live.cluster.place import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cluster.layout import Layout

_PROC = Path("/proc")
_HIERARCHIES = Path("/sys/fs/cgroup")
# What every cluster calls its control groups.
_CLUSTERS = re.compile(r"/cluster-[0-9a-f]{12}")


@dataclass(frozen=True)
class Process:
    """A process of this machine; the time of its start tells it from a later one of its number."""

    pid: int
    started: str
    words: str
    groups: str
    network: str

    @classmethod
    def all(cls) -> Iterator[Process]:
        """Give every process of the machine."""
        for entry in _PROC.iterdir():
            # It may end while it is looked at.
            if entry.name.isdigit():
                with suppress(OSError):
                    yield cls.read(int(entry.name))

    @classmethod
    def read(cls, pid: int) -> Process:
        """Look at one process; raises OSError when it has ended, whether or not its parent has noticed."""
        entry = _PROC / str(pid)
        facts = (entry / "stat").read_text().rpartition(") ")[2].split()
        if facts[0] == "Z":
            raise ProcessLookupError(f"process {pid} has ended")
        return cls(
            pid=pid,
            started=facts[19],
            words=(entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"),
            groups=(entry / "cgroup").read_text(),
            network=str((entry / "ns" / "net").readlink()),
        )


@dataclass(frozen=True)
class Traces:
    """All by which one cluster can be recognised."""

    files: Layout
    address: str | None
    """Its loopback address, once it is up."""
    processes: frozenset[Process]
    networks: frozenset[str]
    """Its network namespaces: the node's and those of its pods."""

    @classmethod
    def of(cls, cluster: Living) -> Traces:
        """Look at a living cluster."""
        supervisor = Process.read(cluster.supervisor)
        found = {one for one in Process.all() if cluster.files.cgroup in one.groups}
        state = cluster.state
        return cls(
            files=cluster.files,
            address=state["address"] if state else None,
            processes=frozenset(found | {supervisor}),
            networks=frozenset(one.network for one in found) - {supervisor.network},
        )

    def left(self) -> list[str]:
        """Say what of the cluster this machine still has, a line for each."""
        return [*self.running(), *self.on_disk()]

    def running(self) -> list[str]:
        """Say what is left of what must end with the supervisor, however that ends."""
        return [*self._processes(), *self._mounts(), *self._loops(), *self._sockets()]

    def on_disk(self) -> list[str]:
        """Say what is left of what a sweep removes after a supervisor was killed."""
        groups = [*_HIERARCHIES.glob(self.files.cgroup), *_HIERARCHIES.glob(f"*/{self.files.cgroup}")]
        directories = [self.files.run] if self.files.run.exists() else []
        return [*(f"control group {one}" for one in groups), *(f"directory {one}" for one in directories)]

    def _processes(self) -> Iterator[str]:
        known = {(one.pid, one.started) for one in self.processes}
        for one in Process.all():
            ours = (
                (one.pid, one.started) in known
                or self.files.cgroup in one.groups
                or str(self.files.run) in one.words
                # The kernel gives the number of a namespace that is gone to the next one, of another cluster too.
                or (one.network in self.networks and not _CLUSTERS.search(one.groups))
            )
            if ours:
                yield f"process {one.pid}: {one.words}"

    def _mounts(self) -> Iterator[str]:
        for line in (_PROC / "self" / "mountinfo").read_text().splitlines():
            if str(self.files.run) in line:
                yield f"mount {line}"

    def _loops(self) -> Iterator[str]:
        for file in Path("/sys/block").glob("loop*/loop/backing_file"):
            with suppress(OSError):
                if str(self.files.run) in (content := file.read_text()):
                    yield f"loop device {file.parts[3]} of {content.strip()}"

    def _sockets(self) -> Iterator[str]:
        if self.address is None:
            return
        # As the kernel writes it: the bytes of the address backwards.
        written = "".join(f"{int(part):02X}" for part in reversed(self.address.split(".")))
        for line in (_PROC / "net" / "tcp").read_text().splitlines():
            words = line.split()
            if words[1].startswith(f"{written}:") and words[3] == "0A":
                yield f"listening socket {words[1]} of {self.address}"


def owned_by(pid: int) -> Living | None:
    """Give the cluster whose supervisor a process has started, if there is one."""
    for cluster in Runs(default_root()).living():
        with suppress(OSError):
            stat = (_PROC / str(cluster.supervisor) / "stat").read_text()
            if int(stat.rpartition(") ")[2].split()[1]) == pid:
                return cluster
    return None


def named(name: str) -> Living | None:
    """Give the living cluster of a name, if there is one."""
    return next((one for one in Runs(default_root()).living() if one.name == name), None)


def wait_until_nothing_is_left(traces: Traces) -> None:
    """Look until nothing of a cluster is left."""
    wait_for(lambda: not traces.left(), PATIENCE, lambda: f"promised: nothing remains; seen: {traces.left()}")


def wait_until_nothing_runs(traces: Traces) -> None:
    """Look until nothing of a cluster is left but what a sweep removes."""
    wait_for(
        lambda: not traces.running(), PATIENCE, lambda: f"promised: nothing runs; seen: {traces.running()}"
    )
