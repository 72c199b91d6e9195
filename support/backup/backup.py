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
from support.backup.archive import Manifest
from support.backup.transfer import (
    CopyError,
    FullError,
    prove_way,
    transfer_pod_beside,
    transfer_pod_for,
    users,
)
from support.core.errors import SuiteError
from support.core.signals import undisturbed
from support.core.wait import wait_for
from support.deploy import precheck, removal
from support.deploy.objects import is_bound
from support.deploy.precheck import ObstructedError, Situation
from support.diagnosis import causes
from support.diagnosis.findings import Cause, Finding, Trouble
from support.kube.errors import ApiError
from support.kube.labels import is_ours
from support.kube.objects import named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
        _refuse_what_cannot_be_copied(namespace, known, of.release)
        _refuse_without_a_way(of, self._pod(of, read_only=True))
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

    def restore(self, namespace: Namespace, release: Release, file: Path) -> Rollout:
        """Bring what a file holds back into an empty claim, apply the release to it, and return how that went.

        A file that is not whole is refused before anything is touched, and so is a release that the cluster would refuse; a
        claim that is not empty before anything is written. Where it fails later, the claim is emptied again.

        Raises `ArchiveError` or `CopyError` with what is wrong and what to do, `NotLiveError` where the release
        would be refused, or is when the data is back, `ApiError`.
        """
        began = time.monotonic()
        whole = archive.verified(file)
        self.progress(f"{file} is whole: {described(whole.manifest)}")
        _refuse_another_image(whole.manifest, release)
        _refuse_what_is_deployed(namespace)
        self._refuse_what_cannot_end_well(namespace, release)
        if finding := namespace.hindrance(release):
            raise NotLiveError(
                f"nothing is restored, since the release {release.name!r} would be refused because {finding}"
            )
        namespace.create_claims(release)
        with self.transfer_pod_beside(namespace.rendered(release), read_only=False) as transfer_pod:
            transfer_pod.wait(self.deadlines)
            _refuse_what_is_not_empty(namespace, release, transfer_pod.usage())
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
        security = of.statefulset()["spec"]["template"]["spec"].get("securityContext", {})
        return transfer_pod_for(
            of.namespace,
            of.release.claim.name,
            of.inventory.vantage_image,
            self.run_id,
            security,
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


def _refuse_what_cannot_be_copied(namespace: Namespace, known: Live | None, release: Release) -> None:
    kube, place, claim = namespace.kube, namespace.name, release.claim.name
    there = kube.get("PersistentVolumeClaim", claim, place)
    if not (there and is_ours(there)):
        raise CopyError(f"there is no claim {claim} of this suite in {place}: nothing to back up")
    if not is_bound(there):
        raise CopyError(f"the claim {claim} in {place} has no volume yet: nothing was ever written to it")
    ours = (
        {obj["metadata"]["name"] for obj in known.objects if obj["kind"] == "StatefulSet"} if known else set()
    )
    strangers = [name for name in users(kube, place, claim) if name.rpartition("-")[0] not in ours]
    if strangers:
        raise CopyError(
            f"the claim {claim} is mounted by {', '.join(strangers)}, which is no pod of a release that was live here: "
            "a copy would not be consistent. End it first, or roll the release back, which keeps the data"
        )


def _refuse_without_a_way(of: Live, pod: Object) -> None:
    """Prove, while the release still answers, that a transfer pod is admitted, and that a pod can be reached at all."""
    kube, place = of.kube, of.namespace
    try:
        kube.create(pod, dry_run=True)
    except ApiError as error:
        if error.unanswered:
            raise
        if "exceeded quota" not in error.message:  # the release's own share becomes free when it is quiesced
            raise CopyError(f"no transfer pod may be made in {place}: {error.message}") from error
    prove_way(kube, place)


def _refuse_another_image(manifest: Manifest, release: Release) -> None:
    if manifest.chroma != release.chroma.image:
        raise CopyError(
            f"the backup is one of {manifest.chroma}, but the release {release.name!r} runs {release.chroma.image}: "
            f"restore it with a release that runs {manifest.chroma}, such as --release {manifest.release}"
        )


def _refuse_what_is_deployed(namespace: Namespace) -> None:
    if named(removal.owned(namespace.kube, namespace.name), "StatefulSet"):
        raise CopyError(
            f"a release is deployed in {namespace.name}, and its data is not overwritten: back it up if it matters, "
            "roll it back with its data (--remove-data), and restore again"
        )


def _refuse_what_is_not_empty(namespace: Namespace, release: Release, usage: tuple[int, int]) -> None:
    files, size = usage
    if files:
        raise CopyError(
            f"the claim {release.claim.name} in {namespace.name} is not empty ({files} files, {mib(size)}), and nothing "
            "is overwritten: back it up if it matters, roll back with the data (--remove-data), and restore again"
        )


def described(manifest: Manifest) -> str:
    """Say in a line what a backup is of, and what was found wrong with its data."""
    wrong = (
        f"; wrong with the data when it was copied: {'; '.join(manifest.findings)}"
        if manifest.findings
        else ""
    )
    return (
        f"release {manifest.release!r} ({manifest.chroma}) in {manifest.namespace}, {manifest.made}, "
        f"{manifest.files} files, {mib(manifest.bytes)}{wrong}"
    )


def mib(size: int) -> str:
    """Say how much so many bytes are."""
    return f"{size / 2**20:.1f} MiB"


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.1f} s"
