"""Backs a release up to a file, and restores it from one into an empty claim.

While it is copied the release is quiesced: its pod has ended as a drained node ends it, and nobody writes (docs/persistence.md#how-a-server-ends).
"""

from __future__ import annotations

import datetime as dt
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from support.backup import archive, integrity
from support.backup.archive import Manifest, described, mib
from support.backup.conditions import (
    refuse_another_image,
    refuse_what_cannot_be_copied,
    refuse_what_is_deployed,
    refuse_what_is_not_empty,
    refuse_without_a_way,
    release_of,
)
from support.backup.transfer import (
    CopyError,
    FullError,
    transfer_pod_beside,
    transfer_pod_for,
    users,
)
from support.core.errors import SuiteError
from support.core.signals import undisturbed
from support.core.wait import wait_for
from support.deploy import precheck
from support.deploy.precheck import ObstructedError, Situation
from support.diagnosis import causes
from support.diagnosis.findings import Cause, Finding, Trouble
from support.kube.errors import ApiError
from support.release.catalogue import changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from support.backup.transfer import TransferPod
    from support.core.wait import Deadlines
    from support.deploy.custody import Custody
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout
    from support.kube.objects import Object
    from support.release.release import Release

_VERSION: Final = Path(__file__).parents[2] / "VERSION"


class NotLiveError(SuiteError):
    """A release would not be live, or is not after its data was copied; the text says what became of the data, and why."""


@dataclass
class Quiesced:
    """How a release came back after it rested: `finding` says why it did not."""

    finding: Finding | None = None


@dataclass(frozen=True)
class BackupRunner:
    """Who backs up and restores: in which run, how patiently, and whom it tells of its progress."""

    run_id: str
    deadlines: Deadlines
    progress: Callable[[str], None]

    def back_up(self, namespace: Namespace, release: Release, file: Path) -> Manifest:
        """Write what the claim of a namespace holds to a file, and return what the file says of itself.

        `release` is asked where nothing is deployed and only the claim is left. A release is live again afterwards,
        whatever happens on the way; the file is there whole or not at all.

        Where the release has no pod, somebody has scaled it to 0: nothing has to be quiesced, and it stays so.

        Raises `ArchiveError` or `CopyError` with what is wrong and what to do, `ObstructedError` where a release could
        not come back, `NotLiveError` where the file is whole but the release is not live again, `ApiError`.
        """
        began = time.monotonic()
        known = namespace.recalled()
        of = known or namespace.rendered(release)
        self._refuse_what_cannot_end_well(namespace, of.release)
        refuse_what_cannot_be_copied(namespace, known, of.release)
        refuse_without_a_way(of, self._pod(of, read_only=True))
        if known and known.token != namespace.inventory.admin_password:
            self.progress(
                f"{Trouble.TOKEN} (ADMIN_PASSWORD): it is proved live with its own, which it was deployed with"
            )
        custody = namespace.watched_over(known) if known else None
        with archive.drafted(file) as draft:
            with (
                self._quiesce(namespace, known, custody) as quiesced,
                self.transfer_pod_beside(of, read_only=True) as transfer_pod,
            ):
                self._wait_until_unused(of)
                transfer_pod.wait(self.deadlines)
                files, size = transfer_pod.usage()
                self.progress(f"copying {files} files, {mib(size)}")
                with transfer_pod.reading() as stream:
                    draft.take(stream)
            found = integrity.findings(draft.sizes, draft.unpack, file.parent)
            manifest = Manifest(
                suite=_VERSION.read_text(encoding="utf-8").strip(),
                made=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                namespace=namespace.name,
                claim=of.release.claim.name,
                release=of.release.name,
                chroma=of.release.chroma.image,
                files=len(draft.sizes),
                bytes=sum(draft.sizes.values()),
                findings=found,
                stated=of.release.model_dump(mode="json"),
            )
            draft.seal(manifest)
        if not found:
            namespace.backed_up(of, manifest.made)
        self.progress(f"{file} holds {manifest.files} files, {mib(manifest.bytes)}, after {_since(began)}")
        if quiesced.finding:
            raise NotLiveError(
                f"{file} is whole, but the release {of.release.name!r} is not live again: {quiesced.finding}"
            )
        return manifest

    def restore(
        self, namespace: Namespace, release: Release | None, file: Path, changes: Sequence[str] = ()
    ) -> Rollout:
        """Bring what a file holds back into an empty claim, apply the release to it, and return how that went.

        Where no `release` is asked for, it is the one whose data was backed up, with some `changes`.

        A file that is not whole is refused before anything is touched, and so is a release that the cluster would refuse; a
        claim that is not empty before anything is written. Where it fails later, the claim is emptied again.

        Raises `ArchiveError` or `CopyError` with what is wrong and what to do, `NotLiveError` where the release
        would be refused, or is when the data is back, `ApiError`.
        """
        began = time.monotonic()
        whole = archive.verified(file)
        self.progress(f"{file} is whole: {described(whole.manifest)}")
        if release is None:
            release = changed(release_of(whole.manifest), changes)
            self.progress(
                f'the release is that of the backup: "{release.name}" ({", ".join(release.images)})'
            )
        refuse_another_image(whole.manifest, release)
        refuse_what_is_deployed(namespace)
        self._refuse_what_cannot_end_well(namespace, release)
        if finding := namespace.hindrance(release):
            raise NotLiveError(
                f"nothing is restored, since the release {release.name!r} would be refused because {finding}"
            )
        namespace.create_claims(release)
        with self.transfer_pod_beside(namespace.rendered(release), read_only=False) as transfer_pod:
            transfer_pod.wait(self.deadlines)
            refuse_what_is_not_empty(namespace, release, transfer_pod.usage())
            with self._emptied_on_failure(transfer_pod, release):
                self.progress(f"writing {whole.manifest.files} files, {mib(whole.manifest.bytes)}")
                transfer_pod.write(whole.contents())
                with transfer_pod.reading() as stream:
                    arrived = archive.sums_of(stream)
                if arrived != whole.sums:
                    raise CopyError(f"what arrived on the claim is not what {file} holds")
        self.progress(f"all of it is on the claim {release.claim.name}, after {_since(began)}")
        rollout = namespace.apply(release)
        if rollout.finding:
            raise NotLiveError(
                f"the data of {file} is on the claim {release.claim.name}, but the release {release.name!r} "
                f"is refused because {rollout.finding}"
            )
        return rollout

    @contextmanager
    def _quiesce(
        self, namespace: Namespace, known: Live | None, custody: Custody | None
    ) -> Iterator[Quiesced]:
        """Ask for the end of a release's pods; afterwards, whatever happens, bring them back, as many as there were."""
        quiesced = Quiesced()
        there = precheck.observe(namespace.kube, namespace.name) if known else Situation()
        pods = self._pods_of(there)
        if not known or not custody or not pods:
            yield quiesced
            return
        try:
            self.progress(f'release "{known.release.name}" is quiesced')
            namespace.scale(known, 0)
            yield quiesced
        finally:
            with undisturbed(
                lambda: self.progress("bringing the release back, which is not to be interrupted")
            ):
                quiesced.finding = self._resumed(namespace, known, pods, there, custody)
            self.progress(
                f'release "{known.release.name}" '
                + (f"is not live again: {quiesced.finding}" if quiesced.finding else "is live again")
            )

    def _pods_of(self, there: Situation) -> int:
        """Return how many pods a release is to have after its rest, 0 where none has to rest."""
        statefulset = there.statefulset()
        if statefulset is None:
            return 0
        scaled = there.scaled_to_zero()
        if scaled:
            self.progress(f"{scaled.what} is {scaled.seen}")
        if scaled and precheck.is_left_by_backup(statefulset):
            return 1
        return int(statefulset["spec"]["replicas"])

    def _resumed(
        self, namespace: Namespace, known: Live, pods: int, there: Situation, custody: Custody
    ) -> Finding | None:
        """Bring a release back on the claim that it had; where that is gone, nothing takes its place."""
        try:
            now = precheck.observe(namespace.kube, namespace.name)
            if gone := [*precheck.lost(there.claims(), now), *now.lost_with_the_pod()]:
                namespace.scale(known, pods)
                return custody.gone() or causes.ending(*precheck.summary(gone))
            return namespace.revive(known, pods, custody)
        except ApiError as error:
            name = known.statefulset()["metadata"]["name"]
            command = f"kubectl -n {namespace.name} scale statefulset {name} --replicas={pods}"
            message = f"the cluster does not let it be brought back: {error}"
            return Finding(Cause.NEVER_READY, message, advice=f"`{command}` once the cluster answers")

    def _refuse_what_cannot_end_well(self, namespace: Namespace, release: Release) -> None:
        look = partial(precheck.of_copy, namespace.kube, namespace.name, release.claim.name)
        if found := precheck.lasting(look, self.deadlines, self.progress):
            raise ObstructedError(found)

    def transfer_pod_beside(self, of: Live, *, read_only: bool) -> AbstractContextManager[TransferPod]:
        """Return a context with a transfer pod beside a release's claim, which runs as the release's own pod does."""
        return transfer_pod_beside(of.kube, self._pod(of, read_only=read_only), self.deadlines)

    def _pod(self, of: Live, *, read_only: bool) -> Object:
        of_release = of.statefulset()["spec"]["template"]["spec"]
        return transfer_pod_for(
            of.namespace,
            of.release.claim.name,
            of.inventory.vantage_image,
            self.run_id,
            of_release,
            read_only=read_only,
        )

    def _wait_until_unused(self, of: Live) -> None:
        using = partial(users, of.kube, of.namespace, of.release.claim.name)
        wait_for(
            lambda: not using(),
            self.deadlines.gone,
            lambda: f"the claim {of.release.claim.name} is still mounted by {', '.join(using())}",
        )

    @contextmanager
    def _emptied_on_failure(self, transfer_pod: TransferPod, release: Release) -> Iterator[None]:
        """Let nothing stay on the claim where not all could be written to it."""
        claim = release.claim
        try:
            yield
        except BaseException as error:
            with undisturbed(lambda: self.progress("emptying the claim, which is not to be interrupted")):
                transfer_pod.empty()
            self.progress(f"the claim {claim.name} is empty again")
            if isinstance(error, FullError):
                raise FullError(
                    f"the claim {claim.name} of {claim.size} is too small ({error}); it is empty again, and the file is "
                    "as it was: let the release ask for a larger one (claim.size) and restore again"
                ) from error
            raise


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.1f} s"
