"""Run directories: one for each cluster, locked for as long as its supervisor lives."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import shutil
import signal
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from cluster.errors import ClusterError
from cluster.host import mounts
from cluster.layout import Layout
from cluster.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOCK = "lock"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
# Directories that a cluster covers with its own: its run directory must not be hidden by one of them.
_COVERED = ("/run", "/var/run", "/var/lib", "/var/log", "/proc", "/sys", "/dev")


class Run:
    """A run directory whose lock this process holds."""

    def __init__(self, directory: Path, lock: IO[str]) -> None:
        self.files = Layout(directory)
        self._lock = lock

    def remove(self) -> None:
        """Remove the directory and give up the lock.

        Raises ClusterError when something is mounted below it: whose files that would delete is unknown.
        """
        directory = self.files.run
        for point in mounts.below(directory):
            with suppress(OSError):
                mounts.unmount(point)
        if left := mounts.below(directory):
            raise ClusterError(f"{directory} cannot be removed: {left[0]} is mounted; unmount it first")
        try:
            # The lock goes last: until then the cluster is not gone for those who wait for its end.
            for entry in directory.iterdir():
                if entry.name != _LOCK:
                    _delete(entry)
            shutil.rmtree(directory)
        except OSError as error:
            raise ClusterError(f"{directory} cannot be removed: {error}") from error
        self._lock.close()


@dataclass(frozen=True)
class Living:
    """A cluster whose supervisor lives."""

    name: str
    files: Layout
    supervisor: int
    """Process id."""

    @property
    def state(self) -> dict[str, Any] | None:
        """Facts that the node wrote when the cluster was up; None before."""
        try:
            state: dict[str, Any] = json.loads(self.files.state.read_text())
        except FileNotFoundError:
            return None
        return state

    @property
    def spec(self) -> Spec:
        """What the cluster is made of."""
        return Spec.load(self.files.spec.read_text())

    @property
    def is_of_run(self) -> bool:
        """Whether a run has booted the cluster for itself, and ends it; its name says nothing of that."""
        try:
            return self.spec.of_run
        except (OSError, ValueError):  # in the first moments of a boot that is not written yet
            return False

    def end(self, patience: float) -> bool:
        """Ask the supervisor to end the cluster and wait for its own end; False when it lives on so long."""
        try:
            supervisor = os.pidfd_open(self.supervisor)
        except ProcessLookupError:
            return True
        try:
            signal.pidfd_send_signal(supervisor, signal.SIGTERM)
            poll = select.poll()
            poll.register(supervisor, select.POLLIN)
            return bool(poll.poll(patience * 1000))
        finally:
            os.close(supervisor)


class Runs:
    """All run directories below the cache's root."""

    def __init__(self, root: Path) -> None:
        self._directory = root.resolve() / "runs"
        for covered in _COVERED:
            if self._directory.is_relative_to(covered):
                raise ClusterError(
                    f"the cache lies in {covered}, which a cluster covers with its own: "
                    "set XDG_CACHE_HOME to a directory elsewhere"
                )
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ClusterError(f"{self._directory} cannot be made: {error.strerror}") from error

    def claim(self, name: str) -> Run:
        """Make and lock the directory of a new cluster; raises ClusterError when the name is taken."""
        if not _NAME.fullmatch(name):
            raise ClusterError(f"{name!r} cannot name a cluster: use lower-case letters, digits and dashes")
        directory = self._directory / name
        with self._alone():
            try:
                directory.mkdir(mode=0o755)
            except FileExistsError:
                raise ClusterError(
                    f"a cluster {name!r} exists already ({directory}): end it with `python -m cluster down {name}` "
                    "or choose another name"
                ) from None
            except OSError as error:
                raise ClusterError(f"{directory} cannot be made: {error.strerror}") from error
            lock = _lock(directory)
            if lock is None:
                raise ClusterError(f"{directory} was locked by another run as soon as it was made")
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        return Run(directory, lock)

    def dead(self) -> list[Run]:
        """Lock the directories of all dead clusters, and give them."""
        with self._alone():
            locked = [(directory, _lock(directory)) for directory in self._all()]
        return [Run(directory, lock) for directory, lock in locked if lock is not None]

    def living(self) -> list[Living]:
        """All clusters whose supervisor lives, by name."""
        found = []
        for directory in self._all():
            lock = _lock(directory)
            if lock is not None:
                lock.close()
                continue
            with suppress(OSError, ValueError):
                supervisor = int((directory / _LOCK).read_text())
                found.append(Living(directory.name, Layout(directory), supervisor))
        return found

    def _all(self) -> list[Path]:
        return sorted(path for path in self._directory.iterdir() if path.is_dir())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep directories from being taken for dead between being made and being locked."""
        with (self._directory / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _delete(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def _lock(directory: Path) -> IO[str] | None:
    """Take a directory's lock; None when another process holds it, or the directory is gone meanwhile."""
    file = directory / _LOCK
    try:
        lock = file.open("a+")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Not the file of a removed directory, in whose place a new one may be by now.
        if os.fstat(lock.fileno()).st_ino == file.stat().st_ino:
            return lock
    except OSError:
        pass
    lock.close()
    return None
