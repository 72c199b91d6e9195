"""Backs up and restores as operators do, also when something goes wrong, and says how that ended."""

from __future__ import annotations

import io
import resource
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from support.backup.archive import ArchiveError, sums_of
from support.backup.backup import NotLiveError
from support.backup.transfer import POD, CopyError
from support.checks.backup import broken
from support.chroma import calls, samples
from support.chroma import client as chroma_client
from support.core.promises import PromiseBroken
from support.core.signals import ctrl_c
from support.core.wait import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.backup.backup import BackupRunner
    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout
    from support.release.release import Release

# Bytes after which the operator's disk is full: less than the smallest database.
_ROOM: Final = 64 * 1024
# Bytes of a claim, and of a backup for which it has no room.
_SMALL, _LARGE = "32Mi", 40 * 1024 * 1024
# What occupies a claim before anything is restored to it.
_OCCUPANT: Final = broken.tar({"notes/of-somebody.txt": b"not to be lost"})
# Records in a call: as many as stay below the 40 MiB that Chroma takes.
_BATCH: Final = 2000
# Questions that are asked before and after, and records asked for by each.
_QUESTIONS, _NEAREST = 20, 10


@dataclass(frozen=True)
class Attempt:
    """A backup or restore that failed, or did not: `error` says how."""

    file: Path
    error: BaseException | None

    def assert_failed_with(self, phrase: str) -> None:
        """Assert that it failed and said so in these words."""
        if not self.error:
            raise PromiseBroken(f"a failure that says {phrase!r}", f"{self.file} was taken")
        said = f"{type(self.error).__name__}: {self.error}"
        if phrase not in said:
            raise PromiseBroken(f"a failure that says {phrase!r}", said)


def back_up_under(
    mishap: str, backup_runner: BackupRunner, home: Namespace, live: Live, file: Path
) -> Attempt:
    """Back a release up while something happens."""
    happening = _MISHAPS[mishap][0]
    with happening(backup_runner) as unlucky:
        return _tried(file, lambda: unlucky.back_up(home, live.release, file))


def try_to_restore(
    backup_runner: BackupRunner, namespace: Namespace, release: Release, file: Path
) -> Attempt:
    """Restore a file, and return how that failed."""
    return _tried(file, lambda: backup_runner.restore(namespace, release, file))


def large_collection(database: Database, count: int, dimension: int) -> Collection:
    """Make a collection of so many records, which take several calls."""
    collection = database.create("collection")
    records = samples.records(count, dimension)
    for begin in range(0, count, _BATCH):
        calls.add(collection, records[begin : begin + _BATCH])
    return collection


def occupy(backup_runner: BackupRunner, namespace: Namespace, release: Release) -> None:
    """Let a claim hold something before there is a release."""
    namespace.create_claims(release)
    with backup_runner.transfer_pod_beside(namespace.rendered(release), read_only=False) as transfer_pod:
        transfer_pod.wait(backup_runner.deadlines)
        transfer_pod.write([_OCCUPANT])


def held_by_claim(backup_runner: BackupRunner, namespace: Namespace, release: Release) -> dict[str, str]:
    """Return the SHA-256 of each file on a claim, by its name."""
    with backup_runner.transfer_pod_beside(namespace.rendered(release), read_only=True) as transfer_pod:
        transfer_pod.wait(backup_runner.deadlines)
        with transfer_pod.reading() as stream:
            return sums_of(stream)


def assert_holds_what_it_held(held: Mapping[str, str]) -> None:
    """Assert that a claim holds what it was occupied by, and nothing else."""
    promised = sums_of(io.BytesIO(_OCCUPANT))
    if held != promised:
        raise PromiseBroken(f"a claim with {promised}", held)


def small(release: Release) -> Release:
    """Return a release that asks for a small claim, with room for nothing but a young database."""
    return release.model_copy(update={"claim": release.claim.model_copy(update={"size": _SMALL})})


def large_backup(file: Path, release: Release) -> Path:
    """Write a backup for which a small claim has no room."""
    return broken.backup(file, release.chroma.image, _LARGE)


def run_out_of_room(backup_runner: BackupRunner, namespace: Namespace, release: Release, file: Path) -> None:
    """Restore a backup for which a small claim has no room, which must fail for that reason."""
    attempt = try_to_restore(backup_runner, namespace, small(release), large_backup(file, release))
    assert_refused(attempt, "claim is too small")


def assert_failed(attempt: Attempt, mishap: str) -> None:
    """Assert that a backup failed for a reason, and said so."""
    attempt.assert_failed_with(_MISHAPS[mishap][1])


def assert_refused(attempt: Attempt, reason: str) -> None:
    """Assert that a backup was not restored for a reason, that this was said, and that the file is still there."""
    attempt.assert_failed_with(REFUSALS[reason])
    assert attempt.file.exists(), f"{attempt.file} is gone"


def assert_grown(namespace: Namespace, release: Release, deadlines: Deadlines) -> None:
    """Assert that the volume of the claim has the size that the release asks for; a volume grows after its claim."""

    def seen() -> str:
        claim = namespace.kube.get("PersistentVolumeClaim", release.claim.name, namespace.name) or {}
        return str(claim.get("status", {}).get("capacity", {}).get("storage"))

    wanted = release.claim.size
    wait_for(lambda: seen() == wanted, deadlines.live, lambda: f"claim not of {wanted} but {seen()}")


def assert_nothing_left(attempt: Attempt) -> None:
    """Assert that there is no file, not even a half one under another name."""
    left = [path.name for path in attempt.file.parent.iterdir()]
    assert not left, f"left of the backup: {', '.join(left)}"


def assert_private(file: Path) -> None:
    """Assert that only the owner may read a file."""
    mode = file.stat().st_mode & 0o777
    assert mode == 0o600, f"{file} may be read by others: mode {mode:o}"


def assert_lives_on(home: Namespace, live: Live) -> None:
    """Assert that a release lives with the objects it had, and that nothing is left of the copying."""
    kube, place = live.kube, live.namespace
    assert home.prove_live().objects == live.objects, "the release has other objects than before"
    left = kube.get("Pod", POD, place)
    assert left is None, f"the transfer pod is left in {place}: {left['status']}"


def assert_restored(collection: Collection, rollout: Rollout) -> None:
    """Assert that a restored release holds a collection as the one does that was backed up, and answers as that does."""
    assert rollout.live, str(rollout)
    there = rollout.live
    client = chroma_client.client(there.way, there.credential, collection.database)
    try:
        restored = client.get_collection(collection.name, embedding_function=None)
        held, brought_back = calls.by_id(collection), calls.by_id(restored)
        wrong = [
            name for name in held.keys() | brought_back.keys() if held.get(name) != brought_back.get(name)
        ]
        assert not wrong, (
            f"promised: {len(held)} records, as they were when they were backed up\n"
            f"seen:     {len(brought_back)} records, of which {len(wrong)} are missing, new or others, such as {min(wrong)!r}"
        )
        questions = [vector for vector, _, _ in list(held.values())[:: max(1, len(held) // _QUESTIONS)]]
        before, after = (calls.ask(one, questions, _NEAREST) for one in (collection, restored))
        assert before == after, f"questions are answered otherwise: {after} instead of {before}"
    finally:
        client.close()


def _tried(file: Path, act: Callable[[], object]) -> Attempt:
    try:
        act()
    except (ArchiveError, CopyError, NotLiveError, KeyboardInterrupt) as error:
        return Attempt(file, error)
    return Attempt(file, None)


@contextmanager
def _interrupted(backup_runner: BackupRunner) -> Iterator[BackupRunner]:
    """Let Ctrl-C come as soon as the copying begins."""

    def progress(line: str) -> None:
        backup_runner.progress(line)
        if line.startswith("copying"):
            press()

    with ctrl_c() as press:
        yield replace(backup_runner, progress=progress)


@contextmanager
def _disk_full(backup_runner: BackupRunner) -> Iterator[BackupRunner]:
    """Let no file of this process grow beyond a few bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_ROOM, before[1]))
    try:
        yield backup_runner
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


_MISHAPS: Final[Mapping[str, tuple[Callable[[BackupRunner], AbstractContextManager[BackupRunner]], str]]] = {
    "the operator interrupts it": (_interrupted, "KeyboardInterrupt"),
    "the operator's disk is full": (_disk_full, "nothing of it is left: make room"),
}
MISHAPS: Final = tuple(_MISHAPS)
# Why nothing is restored, in the words of the feature, and a phrase of what is said then.
REFUSALS: Final[Mapping[str, str]] = {
    **{f"backup {flaw}": said for flaw, (_, said) in broken.FLAWS.items()},
    "claim is in use": "its data is not overwritten",
    "claim is not empty": "nothing is overwritten",
    "claim is too small": "is too small",
    "cluster would refuse the release": "nothing is restored, since the release",
}
