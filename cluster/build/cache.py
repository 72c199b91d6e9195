"""A cache of what takes long to make: keyed by content, shared by concurrent runs, never half-written."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from cluster.build.entries import flush, is_complete, readable_by_all, remove, seal
from cluster.build.progress import Timings
from cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

NAME = "chroma-conformance"
_LOCKS, _TEMPORARY, _SCRATCH = "locks", "tmp", "scratch"
_KIND = re.compile(r"[a-z][a-z0-9-]*")
_DIGEST_LENGTH = 20
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class StoreError(ClusterError):
    """The cache cannot keep what it should; the message says where, why and what to do."""


def default_root() -> Path:
    """Return the directory of the cache: `${XDG_CACHE_HOME:-~/.cache}/chroma-conformance`."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification wants relative paths ignored.
    return (named if named.is_absolute() else Path.home() / ".cache") / NAME


class Store:
    """The cache below one root directory.

    What `entry` has returned stays on disk until `close` or the end of this process, in whichever process
    `prune` runs: each user of an entry holds a shared lock on it. A program that is to outlive this one opens
    a Store of its own; a mere fork shares the locks.
    """

    def __init__(self, root: Path | None = None, timings: Timings | None = None) -> None:
        self.root = default_root() if root is None else root
        self.timings = Timings() if timings is None else timings
        # Plain descriptors: held on purpose, even by an object that is forgotten.
        self._uses: dict[Path, int] = {}
        self._scratch_use: int | None = None
        with self._explained():
            for name in (_LOCKS, _TEMPORARY):
                (self.root / name).mkdir(parents=True, exist_ok=True)
            self._sweep()

    def close(self) -> None:
        """Give up the entries and the scratch: another run may remove them from now on."""
        while self._uses:
            os.close(self._uses.popitem()[1])
        self._leave_scratch()

    def entry(self, kind: str, key: str, title: str, build: Callable[[Path], None]) -> Path:
        """Return the complete directory for this kind and key; `build` fills an empty one when it is absent.

        The title says for people what is built: "etcd 3.6.16". Whatever `build` raises passes through, except
        that a full disk becomes a StoreError; nothing of a failed build stays.
        """
        place = self._place(kind, key)
        self._hold(place)
        if not is_complete(place):
            with self._sole_builder(place, title):
                # Another run may have built it while this one waited.
                if not is_complete(place):
                    self._build(place, title, build)
        return place

    def hold(self, path: Path) -> None:
        """Keep the entry in which a path lies, as if `entry` had returned it: for one that another process got."""
        self._hold(self.root / Path(*path.relative_to(self.root).parts[:2]))

    def has(self, kind: str, key: str) -> bool:
        """Say whether the entry is there and whole."""
        return is_complete(self._place(kind, key))

    def prune(self, keep: Iterable[Path] = ()) -> list[Path]:
        """Remove the entries of all kinds that are neither in `keep` nor in use, and return their paths.

        What this object has returned is in use.
        """
        kept = set(keep)
        removed = []
        for place in sorted(self.root.glob("*/*")):
            # Every entry was once opened. What has no lock is somebody else's, such as a directory of runs.
            if place in kept or not self._lock_file(place, "use").exists():
                continue
            with (
                self._free(self._lock_file(place, "use")) as unused,
                self._free(self._lock_file(place, "build")) as idle,
            ):
                if unused and idle:
                    self._discard(place)
                    removed.append(place)
        return removed

    def scratch(self, name: str) -> Path:
        """Return a directory that lasts from run to run until `drop_scratch`: for caches of build tools."""
        if self._scratch_use is None:
            self._scratch_use = self._share(self.root / _LOCKS / "scratch.use")
        place = self.root / _SCRATCH / name
        place.mkdir(parents=True, exist_ok=True)
        return place

    @property
    def has_scratch(self) -> bool:
        """Whether there is scratch, of this run or of one before it."""
        return (self.root / _SCRATCH).exists()

    def drop_scratch(self, *, wait: bool = False) -> None:
        """Remove all scratch, unless another run is still using it: then that run does.

        It is out of the way at once, and goes while this run goes on unless that is to `wait`: a compiler leaves 300,000
        files, whose removal takes minutes on a busy disk.
        """
        self._leave_scratch()
        if not self.has_scratch:
            return
        with self._free(self.root / _LOCKS / "scratch.use") as unused:
            if unused and wait:
                remove(self.root / _SCRATCH)
            elif unused:
                aside = Path(tempfile.mkdtemp(prefix=f"{_SCRATCH}.", dir=self.root / _TEMPORARY))
                (self.root / _SCRATCH).rename(aside / _SCRATCH)
                self._remove_meanwhile(aside)

    def require_free(self, needed: int, purpose: str) -> None:
        """Raise StoreError when the file system has fewer than `needed` bytes free."""
        free = shutil.disk_usage(self.root).free
        if free < needed:
            raise StoreError(
                f"{purpose} needs {needed / 1e9:.1f} GB, but the file system of {self.root} has {free / 1e9:.1f} GB "
                f"free: make room, or set XDG_CACHE_HOME to a larger file system"
            )

    def _hold(self, place: Path) -> None:
        if place not in self._uses:
            self._uses[place] = self._share(self._lock_file(place, "use"))

    def _place(self, kind: str, key: str) -> Path:
        if not _KIND.fullmatch(kind) or kind in (_LOCKS, _TEMPORARY, _SCRATCH):
            raise ValueError(f"not a kind of entry: {kind!r}")
        return self.root / kind / hashlib.sha256(key.encode()).hexdigest()[:_DIGEST_LENGTH]

    def _lock_file(self, place: Path, purpose: str) -> Path:
        return self.root / _LOCKS / f"{place.parent.name}.{place.name}.{purpose}"

    def _open(self, lock_file: Path) -> IO[str]:
        with self._explained():
            # Appending creates the file and, unlike "w", leaves the process id that waiting runs read.
            lock = lock_file.open("a+")
            lock.seek(0)
            return lock

    @contextmanager
    def _free(self, lock_file: Path) -> Iterator[bool]:
        """Yield whether nobody holds the lock, and if so hold it meanwhile."""
        with self._open(lock_file) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def _share(self, lock_file: Path) -> int:
        """Hold the lock together with others. Waits only while another run removes what it guards."""
        with self._open(lock_file) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            return fcntl.fcntl(lock, fcntl.F_DUPFD_CLOEXEC, 0)

    def _leave_scratch(self) -> None:
        if self._scratch_use is not None:
            os.close(self._scratch_use)
            self._scratch_use = None

    @contextmanager
    def _sole_builder(self, place: Path, title: str) -> Iterator[None]:
        with self._open(self._lock_file(place, "build")) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                builder = lock.read().strip() or "unknown"
                with self.timings.stage(f"another run (pid {builder}) is building {title}; waiting"):
                    fcntl.flock(lock, fcntl.LOCK_EX)
            # The number is a courtesy to those who wait: no reason to fail on a full disk.
            with suppress(OSError):
                lock.truncate(0)
                lock.write(f"{os.getpid()}\n")
                lock.flush()
            try:
                yield
            finally:
                lock.truncate(0)

    def _build(self, place: Path, title: str, build: Callable[[Path], None]) -> None:
        """Make the entry in a temporary directory and move it into place whole; the build lock is held."""
        with self._explained():
            if place.exists():
                self.timings.note(f"the cached {title} is damaged and is built again: {place}")
                self._discard(place)
            place.parent.mkdir(exist_ok=True)
            temporary = self._temporary(place)
        try:
            with self.timings.stage(f"building {title}"), readable_by_all():
                build(temporary)
                seal(temporary)
            temporary.rename(place)
            flush(place.parent)
        except BaseException as error:
            full = self._disk_full(error, title)
            # What cannot be removed now is swept by the next run: the first error is the one to tell.
            with suppress(OSError):
                remove(temporary)
            if full is None:
                raise
            # A full disk gets back what only a later attempt would have profited from.
            self.drop_scratch(wait=True)
            raise full from error

    def _temporary(self, place: Path) -> Path:
        # A name of its own for every attempt: a child that outlived a killed run may still be writing.
        made = Path(tempfile.mkdtemp(prefix=f"{place.parent.name}.{place.name}.", dir=self.root / _TEMPORARY))
        # As other directories are: containers read entries, too, and not as our user.
        made.chmod(0o755)
        return made

    def _discard(self, place: Path) -> None:
        """Take an entry away in one step, so that no interrupt leaves a part of it."""
        aside = self._temporary(place)
        place.rename(aside / place.name)
        remove(aside)

    def _sweep(self) -> None:
        """Remove the temporaries of dead runs: those whose build lock is free.

        A lock needs no trust in process ids, which are reused and differ between containers.
        """
        for temporary in (self.root / _TEMPORARY).iterdir():
            entry = temporary.name.rpartition(".")[0]
            with self._free(self.root / _LOCKS / f"{entry}.build") as idle:
                if idle and entry != _SCRATCH:
                    remove(temporary)
            if idle and entry == _SCRATCH:
                self._remove_meanwhile(temporary)

    def _remove_meanwhile(self, place: Path) -> None:
        """Let a process of its own remove scratch that is out of the way; while it lives, no sweep does."""
        with self._open(self.root / _LOCKS / f"{_SCRATCH}.build") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            # It inherits the lock, and outlives this process.
            command = ["setsid", "--fork", "nice", "-n", "19", "rm", "-rf", str(place)]
            subprocess.run(command, pass_fds=(lock.fileno(),), stdin=subprocess.DEVNULL, check=False)

    def _disk_full(self, error: BaseException, title: str) -> StoreError | None:
        """Return the error to raise where the disk was full; tools tell it only in their output."""
        if not any(
            (isinstance(cause, OSError) and cause.errno in _NO_SPACE)
            or "no space left on device" in str(cause).lower()
            for cause in _causes(error)
        ):
            return None
        free = shutil.disk_usage(self.root).free
        return StoreError(
            f"the disk is full while building {title}: the file system of {self.root} (mounted on "
            f"{_mount_point(self.root)}) has {free} bytes free; make room, or set XDG_CACHE_HOME to a larger file system"
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Word errors of the cache itself for people."""
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"the cache {self.root} cannot be used: {error}; "
                f"set XDG_CACHE_HOME to a directory that can be written to"
            ) from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _mount_point(path: Path) -> Path:
    path = path.resolve()
    return next(parent for parent in (path, *path.parents) if parent.is_mount())
