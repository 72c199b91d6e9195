"""Follows a rollout from its apply until the release is live or cannot become so."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from support.core.symptoms import symptom_of
from support.deploy.liveness import Insecure, Locked, Lost, Nameless, NeverWill, NotYet, Unreadable
from support.deploy.objects import claim_names, is_bound
from support.diagnosis import causes
from support.diagnosis.findings import Cause, Finding, Trouble
from support.diagnosis.observation import Observation
from support.diagnosis.troubles import diagnose
from support.kube.containers import is_ready as is_pod_ready
from support.kube.containers import own, state
from support.kube.objects import key

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.core.wait import Deadlines
    from support.deploy.keeping import Building
    from support.deploy.liveness import HealthCheck
    from support.kube.objects import Object, Objects
    from support.kube.watch import Watch

KINDS: Final = ("PersistentVolumeClaim", "Pod", "StatefulSet", "Event")


def kinds(objects: Objects) -> tuple[str, ...]:
    """Return the kinds by which a rollout of some objects is followed: where a route exposes it, that as well."""
    return (*KINDS, *sorted({obj["kind"] for obj in objects} & {"HTTPRoute"}))


# Seconds between two looks through the ingress: controllers take a new route after 0.1-0.7 s.
_BEAT: Final = 0.03
# Why a release that answers will never be live, where that is not the way to it.
_CAUSES: Final = {Insecure: Cause.INSECURE, Locked: Cause.TOKEN, Lost: Cause.LOST}


class RolloutMonitor:
    """One rollout as a watch shows it. Create it before anything is applied: what is seen by then is not of this one.

    `progress` is given a line for what is waited for or doubted, and `stages` one for each usual change on the way, unless
    that is the same. `building` says what indexes are built anew; that takes its time. A host without a name is waited for to the deadline, unless it is
    known that it had one before (`named`).
    """

    def __init__(
        self,
        watch: Watch,
        deadlines: Deadlines,
        progress: Callable[[str], None],
        stages: Callable[[str], None] | None = None,
        *,
        named: bool = False,
        building: Callable[[], Building | None] = lambda: None,
    ) -> None:
        self._named = named
        self._building = building
        self._watch = watch
        self._deadlines = deadlines
        self._progress = progress
        self._stages = stages or progress
        self._reported: set[str] = set()
        self._begin = time.monotonic()
        self._before = {_version(event) for event in watch.snapshot("Event")}
        self._doubt: tuple[Cause | Trouble, float] | None = None
        self.seconds: dict[str, float] = {}

    def mark(self, stage: str) -> None:
        """Note how many seconds after the beginning a stage was reached."""
        self.seconds[stage] = round(time.monotonic() - self._begin, 3)

    def wait_until_bound(self, names: set[str]) -> Finding | None:
        """Wait until the claims are bound, for the time that this can spare the pod; return why they never will be."""
        end = time.monotonic() + self._deadlines.claim
        # What speaks against a claim is waited out: afterwards a pod is touched for it.
        while (left := end - time.monotonic()) > 0 or self._doubt:
            seen = Observation(None, [], self._claims(names), self._events())
            if finding := self.debounced(causes.diagnose(seen)):
                return finding
            if len(seen.claims) == len(names) and all(map(is_bound, seen.claims)):
                self._report_stage("claim bound")
                return None
            self._watch.wait(min(max(left, 0.0), 1.0) or 1.0)
        return None

    def wait_until_pulled(self, asked: Object, pod: Object) -> Finding | None:
        """Wait until a pod that only pulls (`objects.prepull_pod`) has its images; return why it never will have them.

        `asked` is the pod as it was asked for, whose containers alone count; `pod` as it was stored. Where it finds no
        node, nothing is known of them, and so nothing speaks against them.
        """
        end = time.monotonic() + self._deadlines.prepull
        self._report_once(
            f"pulling its images beforehand, until {_clock(self._deadlines.prepull)} at the latest"
        )
        while True:
            whole = self._watch.objects.get(key(pod), pod)
            now, seen = own(whole, asked), Observation(events=self._events())
            if finding := self.debounced(causes.not_pulled(now, seen.events_of(now))):
                return finding
            if causes.has_pulled(now) or not causes.may_be_scheduled(now):
                return None
            if (left := end - time.monotonic()) <= 0:
                return causes.not_pulled_in_time(whole, asked, seen.events_of(now))
            self._watch.wait(min(left, self._deadlines.doubt))

    def wait_until_live(self, statefulset: Object, health_check: HealthCheck) -> Finding | None:
        """Wait until the release is live; return why it cannot become so.

        `statefulset` is as the API server stored it; the watch may not have seen that yet.
        """
        asking = _Asking(self._deadlines.answering, named=self._named)
        began = time.monotonic()
        end = began + self._deadlines.live
        while True:
            seen = self._seen(statefulset)
            self._report(seen)
            if self._judge(statefulset, began) and (finding := self._judge_again(statefulset, began)):
                return finding
            if time.monotonic() > end:
                self._watch.refresh()
                return asking.unnamed or causes.explain(self._seen(statefulset))
            if not is_ready(seen):
                asking.pause()
                end = max(end, began + self._deadlines.live + self._time_to_build(seen, began))
                self._watch.wait(min(1.0, self._deadlines.doubt))
                continue
            if asking.begins():
                self.mark("ready")
            try:
                if self._lives(health_check):
                    return None
            except (NeverWill, NotYet) as answer:
                if finding := asking.judge(answer):
                    return finding
                if asking.unnamed:
                    self._report_once(
                        f"waiting until {_clock(end - time.monotonic())} for its name: {answer}"
                    )
            self._watch.wait(_BEAT)

    def _time_to_build(self, seen: Observation, began: float) -> float:
        """Return the seconds that indexes take which are built anew before the release is ready, 0 where there are none."""
        runs = any(pod.get("status", {}).get("phase") == "Running" for pod in seen.revision_pods())
        if not runs or time.monotonic() - began < self._deadlines.lag or not (building := self._building()):
            return 0.0
        self._report_stage(str(building))
        return building.records * self._deadlines.record

    def _judge(self, applied: Object, began: float) -> Finding | None:
        return self._taken_away(applied, began) or self.debounced(causes.diagnose(self._seen(applied)))

    def _judge_again(self, applied: Object, began: float) -> Finding | None:
        """Judge by what the cluster lists now: a watch that has fallen silent shows what was."""
        self._watch.refresh()
        return self._judge(applied, began)

    def _taken_away(self, applied: Object, began: float) -> Finding | None:
        """Return that what is rolled out is gone, because somebody has rolled it back."""
        now = self._watch.objects.get(key(applied))
        if now and now["metadata"]["uid"] == applied["metadata"]["uid"]:
            return None
        finding = Finding(Cause.TAKEN_AWAY, f"StatefulSet {applied['metadata']['name']} is gone")
        return finding if time.monotonic() > began + self._deadlines.lag else None

    def _lives(self, health_check: HealthCheck) -> bool:
        health_check.heartbeat_advances()
        self._report_stage("heartbeat advances")
        health_check.rejects_anonymous()
        # Before anything is written: what another version cannot read it must not change.
        held = health_check.holdings()
        self._report_stage(f"it holds {held}")
        health_check.acknowledges_write(indexed=True)
        self._report_stage("a write is acknowledged")
        return True

    def debounced(self, finding: Finding | None) -> Finding | None:
        """Return a finding that is terminal, or has lasted; None says that nothing speaks against the release any more.

        What awaits something that is on its way is left to the deadline.
        """
        if finding is None or finding.terminal:
            self._doubt = None
            return finding
        if finding.awaits:
            self._doubt = None
            until = _clock(self._begin + self._deadlines.live - time.monotonic())
            self._report_once(f"waiting until {until} for what is on its way: {finding.awaits}")
            return None
        if self._doubt is None or self._doubt[0] is not finding.kind:
            self._doubt = finding.kind, time.monotonic()
            self._report_once(
                f"{finding.kind}? {finding.detail}; waiting until {_clock(self._deadlines.doubt)} whether that passes"
            )
        lasted = time.monotonic() - self._doubt[1]
        return finding if lasted >= self._deadlines.doubt else None

    def _seen(self, applied: Object) -> Observation:
        now = self._watch.objects.get(key(applied))
        # An object from before the apply looks as complete as the rollout before this one was.
        current = now if now and _generation(now) >= _generation(applied) else applied
        claims = self._claims(claim_names(applied))
        return Observation(
            current,
            self._watch.snapshot("Pod"),
            claims,
            self._events(),
            routes=self._watch.snapshot("HTTPRoute"),
        )

    def _claims(self, names: set[str]) -> list[Object]:
        return [
            claim
            for claim in self._watch.snapshot("PersistentVolumeClaim")
            if claim["metadata"]["name"] in names
        ]

    def _events(self) -> list[Object]:
        return [event for event in self._watch.snapshot("Event") if _version(event) not in self._before]

    def _report(self, seen: Observation) -> None:
        for pod in seen.revision_pods():
            if "nodeName" in pod["spec"]:
                self._report_stage(f"pod {pod['metadata']['name']}: {state(pod)}")
            for event in seen.events_of(pod):
                if event["reason"] == "Pulling":
                    self._report_stage(
                        f"pod {pod['metadata']['name']}: {event['message'].replace('P', 'p', 1)}"
                    )

    def _report_stage(self, line: str) -> None:
        self._report_once(line, self._stages)

    def _report_once(self, line: str, tell: Callable[[str], None] | None = None) -> None:
        if line not in self._reported:
            self._reported.add(line)
            (tell or self._progress)(line)


class _Asking:
    """Judges what a release with a ready pod answers, which has `patience` seconds to come to answer well.

    Some platforms name a host only once they see its Ingress: that time begins when the host has its name, unless it had
    one before (`named`).
    """

    def __init__(self, patience: float, *, named: bool) -> None:
        self._patience = patience
        self._named = named
        self._since: float | None = None
        self.unnamed: Finding | None = None

    def begins(self) -> bool:
        """Note that the pod is ready; return whether that is new."""
        new = self._since is None
        self._since = self._since or time.monotonic()
        return new

    def pause(self) -> None:
        """Note that the pod is not ready."""
        self._since = self.unnamed = None

    def judge(self, answer: NeverWill | NotYet) -> Finding | None:
        """Return why a release that answers so will not be live; None where it still may."""
        if isinstance(answer, NeverWill):
            return Finding(_CAUSES.get(type(answer), Cause.NEVER_READY), str(answer))
        missing = isinstance(answer, Nameless)
        self.unnamed = Finding(Cause.NAMELESS, str(answer)) if missing else None
        if missing and not self._named:
            self._since = time.monotonic()
        if self._since is None or time.monotonic() - self._since <= self._patience:
            return None
        return self.unnamed or unanswered(answer)


def unanswered(last: NotYet) -> Finding:
    """Return the finding for a release whose pod is ready and which nobody reaches; what is in the way is to be looked at."""
    seen = str(last)
    if isinstance(last, Unreadable):
        return Finding(last.cause, seen)
    symptom = symptom_of(last)
    trouble = diagnose(symptom)
    if trouble and trouble.kind is Trouble.TOKEN:
        return Finding(Cause.TOKEN, seen)
    advice = trouble.remedy if trouble else None
    return Finding(Cause.NEVER_READY, f"its pod is ready, but {seen}", advice=advice, unreached=symptom)


def is_ready(seen: Observation) -> bool:
    """Whether the rollout is complete: observed, every pod ready, none left of the revision before.

    A StatefulSet never sets a condition; these fields are what there is (docs/kubernetes-signs.md).
    """
    if not seen.statefulset or not seen.observed():
        return False
    spec, status = seen.statefulset["spec"], seen.statefulset.get("status", {})
    wanted = spec.get("replicas", 1)
    return bool(
        status.get("replicas") == status.get("readyReplicas") == wanted
        and status.get("currentRevision") == status.get("updateRevision")
        and len([pod for pod in seen.revision_pods() if is_pod_ready(pod)]) == wanted
    )


def _clock(seconds: float) -> str:
    """Say what time it is so many seconds from now, as the reader's clock shows."""
    return time.strftime("%H:%M:%S", time.localtime(time.time() + seconds))


def _generation(obj: Object) -> int:
    return int(obj["metadata"]["generation"])


def _version(event: Object) -> tuple[str, str]:
    return event["metadata"]["uid"], event["metadata"]["resourceVersion"]
