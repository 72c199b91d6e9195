"""Takes care of the data of a namespace through an act that replaces its pod: looks first, remembers who writes, and says what is lost."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from support.deploy import last_live
from support.deploy.last_live import Kept
from support.deploy.liveness import Expectation, NeverWill, NotYet
from support.deploy.objects import claim_names
from support.diagnosis.findings import Cause, Finding
from support.kube.errors import ApiError
from support.kube.objects import named
from support.release import lineage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.chroma.holdings import Holdings
    from support.deploy.liveness import HealthCheck
    from support.kube.client import Kube
    from support.kube.objects import Object, Objects
    from support.release.lineage import Lineage


class Custody:
    """The data of one namespace during one act; `former` are the objects of the release that was live last.

    Create it before anything is touched. What was recorded of the data at the last look may be old: collections that
    are gone since then were deleted by their users, unless the claim itself is another.
    """

    def __init__(self, kube: Kube, namespace: str, former: Objects, progress: Callable[[str], None]) -> None:
        self._kube = kube
        self._namespace = namespace
        self._former = former
        self._progress = progress
        self.kept = last_live.recall_data(kube, namespace)
        self._seen: Holdings | None = None
        # By the names of claims: who had written their data before this act.
        self._before: dict[str, Lineage] = {}
        # What was put last, and what it was expected to hold.
        self._put: tuple[Objects, Expectation] | None = None

    def forbids(self, objects: Objects, *, accept_downgrade: bool) -> Finding | None:
        """Return why a release must not touch the data, from what is known before anything is touched."""
        if finding := self.gone() or self._elsewhere(objects):
            return finding
        image = lineage.image_of(objects)
        return None if accept_downgrade or not image else self._lineage(objects).forbids(image)

    def remarks(self, objects: Objects) -> tuple[str, ...]:
        """Say what a release means for the data that is there."""
        image = lineage.image_of(objects)
        remarks = self._lineage(objects).remarks(image) if image else ()
        if self.kept and self._is_another() and self._claim(self.kept.claim):
            return (
                f"claim {self.kept.claim} is another than at the last look, when it held {self.kept.holdings}",
                *remarks,
            )
        return remarks

    def gone(self) -> Finding | None:
        """Return that the claim is gone on which the release had its data, with what can still be done.

        Only where it was seen the moment before that there was nothing is nothing lost: users write between two looks.
        """
        if not self.kept or self._claim(self.kept.claim):
            return None
        if self._seen is not None and not self._seen.collections:
            return None
        held = self._seen or self.kept.holdings
        loss = (
            f"which held {held}"
            if held.collections
            else "which held nothing at the last look, and what since is not known"
        )
        return self._lost(f"claim {self.kept.claim} is not there any more, {loss}")

    def _elsewhere(self, objects: Objects) -> Finding | None:
        """Return that a release would not mount the claim on which the data was at the last look."""
        statefulset = named(objects, "StatefulSet")
        if not self.kept or not self.kept.holdings.collections or not statefulset:
            return None
        mounted = claim_names(statefulset)
        if self.kept.claim in mounted:
            return None
        instead = f"claim {', '.join(sorted(mounted))}" if mounted else "no claim"
        return self._astray(
            f"it mounts {instead}, and claim {self.kept.claim} held {self.kept.holdings} at the last look"
        )

    def look(self, health_check: HealthCheck) -> None:
        """Ask the live release what it holds, at the last moment before its pod is touched; one that is not there tells nothing."""
        try:
            health_check.heartbeat()
            held = health_check.holdings()
        except (NotYet, NeverWill):
            return
        if not held.unlisted:
            self._seen = held

    def begin(self, objects: Objects) -> None:
        """Remember that a release is about to write the data, before its pod can."""
        image, claim = lineage.image_of(objects), self._claim_of(objects)
        if not image or not claim:
            return
        before = self._lineage(objects)
        self._before.setdefault(claim["metadata"]["name"], before)
        if before.changes_to(image):
            self._annotate(claim, before.then(image))

    def expectation(self, objects: Objects, *, spared: bool = False) -> Expectation:
        """Return what a release has to hold in order to be live; `spared` where it is brought back."""
        expected = self._expectation(objects, spared=spared)
        self._put = objects, expected
        return expected

    def _expectation(self, objects: Objects, *, spared: bool) -> Expectation:
        image, claim = lineage.image_of(objects), self._claim_of(objects)
        before = self._before.get(claim["metadata"]["name"]) if claim else None
        moved = bool(image and before and before.changes_to(image)) and not spared
        if self._seen is not None:
            return Expectation(self._seen, certain=True, moved=moved, spared=spared)
        if self.kept:
            other = claim is None or claim["metadata"]["uid"] != self.kept.claim_uid
            return Expectation(self.kept.holdings, certain=other, moved=moved, spared=spared or other)
        return Expectation(moved=moved, spared=spared)

    def explain(self, finding: Finding, *, spared: bool) -> Finding:
        """Return a finding with what can still be done where it says that data is lost; `spared` as in `expectation`."""
        if finding.kind is not Cause.LOST:
            return finding
        return self._lost(finding.detail) if spared or self._is_another() else self._astray(finding.detail)

    def _is_another(self) -> bool:
        """Whether the claim on which the data was is gone, or is another now."""
        if not self.kept:
            return False
        claim = self._claim(self.kept.claim)
        return not claim or bool(claim["metadata"]["uid"] != self.kept.claim_uid)

    def _astray(self, detail: str) -> Finding:
        advice = (
            "it looks for the data elsewhere, or clears it as it starts: compare its claim, where that is mounted and where "
            "Chroma writes (`--plan` names what differs), and its init containers"
        )
        return Finding(Cause.LOST, detail, advice=advice)

    def settle(self, objects: Objects) -> None:
        """Remember of a refused release that it has written the data only where it ran."""
        claim = self._claim_of(objects)
        before = self._before.pop(claim["metadata"]["name"], None) if claim else None
        if claim and before and not self._ran(objects):
            self._annotate(claim, before)

    def remember(self) -> None:
        """Record which data the release has that was put last, and who wrote it; only one that is live has been looked at."""
        objects, expected = self._put or ([], Expectation())
        image, claim = lineage.image_of(objects), self._claim_of(objects)
        if not image or not claim or expected.found is None:
            return
        written = lineage.of_claim(claim, [])
        if written.last != image:
            self._annotate(claim, written.then(image))
        for line in expected.lost():
            self._progress(line)
        if not expected.found.unlisted:
            volume = claim["spec"].get("volumeName", "")
            kept = Kept(
                claim["metadata"]["name"],
                claim["metadata"]["uid"],
                volume,
                self._volume_uid(volume),
                last_live.bounded(expected.found),
            )
            last_live.note(self._kube, self._namespace, kept)

    def backed_up(self, objects: Objects, made: str) -> None:
        """Remember when the data was backed up."""
        if claim := self._claim_of(objects):
            self._annotate(claim, dataclasses.replace(lineage.of_claim(claim, self._former), backup=made))

    def _lost(self, detail: str) -> Finding:
        return Finding(Cause.LOST, detail, advice="; ".join(self._ways_back()))

    def _ways_back(self) -> Iterator[str]:
        """Say what can still be done for data that is gone."""
        volume = self._volume(self.kept.volume) if self.kept and self.kept.volume else None
        phase = (volume or {}).get("status", {}).get("phase", "")
        if volume and self.kept and volume["metadata"]["uid"] == self.kept.volume_uid and self._is_another():
            yield (
                f"its volume {self.kept.volume} is still there ({phase}): keep it (`kubectl patch pv {self.kept.volume} -p "
                '\'{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}\'`), and bind a claim to it by hand'
            )
        yield "restore a backup: roll the release back with --remove-data, then --restore FILE"
        yield "to begin without the data, roll the release back and apply it again"

    def _ran(self, objects: Objects) -> bool:
        """Whether Chroma has run from these objects' image, as far as the pods that are there show it."""
        image = lineage.image_of(objects)
        for pod in self._kube.list("Pod", self._namespace):
            images = {one["name"]: lineage.short(one["image"]) for one in pod["spec"]["containers"]}
            for status in pod.get("status", {}).get("containerStatuses", ()):
                if status["name"] == "chroma" and images.get("chroma") == image and _has_started(status):
                    return True
        return False

    def _lineage(self, objects: Objects) -> Lineage:
        return lineage.of_claim(self._claim_of(objects), self._former)

    def _annotate(self, claim: Object, then: Lineage) -> None:
        self._kube.patch(
            "PersistentVolumeClaim", claim["metadata"]["name"], self._namespace, lineage.annotation(then)
        )

    def _claim_of(self, objects: Objects) -> Object | None:
        """Return the claim that a release's pod mounts, None where it is not there."""
        statefulset = named(objects, "StatefulSet")
        names = sorted(claim_names(statefulset)) if statefulset else []
        return self._claim(names[0]) if names else None

    def _claim(self, name: str) -> Object | None:
        return self._kube.get("PersistentVolumeClaim", name, self._namespace)

    def _volume(self, name: str) -> Object | None:
        try:
            return self._kube.get("PersistentVolume", name)
        except ApiError:  # without the right to look at volumes, nothing is said of them
            return None

    def _volume_uid(self, name: str) -> str:
        volume = self._volume(name) if name else None
        return volume["metadata"]["uid"] if volume else ""


def _has_started(status: Object) -> bool:
    """Whether a container runs, or has run."""
    states = (status.get("state", {}), status.get("lastState", {}))
    return any("running" in state or "terminated" in state for state in states)
