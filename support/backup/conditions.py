"""Refuses a backup or a restore that cannot end well, in words, before anything is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from support.backup.archive import mib
from support.backup.transfer import CopyError, prove_way, users
from support.deploy import removal
from support.deploy.objects import is_bound
from support.kube.errors import ApiError
from support.kube.labels import is_ours
from support.kube.objects import named
from support.release.catalogue import load
from support.release.release import Release, ReleaseError

if TYPE_CHECKING:
    from support.backup.archive import Manifest
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.kube.objects import Object


def refuse_what_cannot_be_copied(namespace: Namespace, known: Live | None, release: Release) -> None:
    """Refuse a backup where there is no claim of ours with data, or something else mounts it; raises `CopyError`."""
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
        remedy = f"end {', '.join(strangers)} first"
        raise CopyError(
            f"the claim {claim} is mounted by {', '.join(strangers)}, which is no pod of a release that was live here, so that "
            f"a copy would not be consistent: {remedy}",
            remedy=remedy,
        )


def refuse_without_a_way(of: Live, pod: Object) -> None:
    """Prove, while the release still answers, that a transfer pod is admitted, and that a pod can be reached at all; raises `CopyError`."""
    kube, place = of.kube, of.namespace
    try:
        kube.create(pod, dry_run=True)
    except ApiError as error:
        if error.unanswered:
            raise
        if "exceeded quota" not in error.message:  # the release's own share becomes free when it is quiesced
            raise CopyError(f"no transfer pod may be made in {place}: {error.message}") from error
    prove_way(kube, place)


def release_of(manifest: Manifest) -> Release:
    """Return the release whose data was backed up; raises `CopyError` where this version of the suite does not know it."""
    try:
        return Release.model_validate(manifest.stated) if manifest.stated else load(manifest.release)
    except (ValidationError, ReleaseError):
        raise CopyError(
            f"the backup is one of the release {manifest.release!r} ({manifest.chroma}), which this version of the suite does "
            "not know: name one that runs the same image (--release NAME|PATH)"
        ) from None


def refuse_another_image(manifest: Manifest, release: Release) -> None:
    """Refuse a release that runs another image than the one that wrote the backup; raises `CopyError`."""
    if manifest.chroma != release.chroma.image:
        raise CopyError(
            f"the backup is one of {manifest.chroma}, but the release {release.name!r} runs {release.chroma.image}: "
            f"restore it with a release that runs {manifest.chroma}, such as --release {manifest.release}"
        )


def refuse_what_is_deployed(namespace: Namespace) -> None:
    """Refuse a restore where a release is deployed; raises `CopyError`."""
    if named(removal.owned(namespace.kube, namespace.name), "StatefulSet"):
        raise CopyError(
            f"a release is deployed in {namespace.name}, and its data is not overwritten: back it up if it matters, "
            "take it away with its data (--remove --remove-data), and restore again; or restore beside it (--namespace NAME)"
        )


def refuse_what_is_not_empty(namespace: Namespace, release: Release, usage: tuple[int, int]) -> None:
    """Refuse a restore to a claim that holds files (`usage`: how many, and their bytes); raises `CopyError`."""
    files, size = usage
    if files:
        raise CopyError(
            f"the claim {release.claim.name} in {namespace.name} is not empty ({files} files, {mib(size)}), and nothing "
            "is overwritten: back it up if it matters, roll back with the data (--remove-data), and restore again"
        )
