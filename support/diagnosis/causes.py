"""Says why a release cannot go live, from what the cluster shows of its rollout; pure."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final

from support.diagnosis import admission, routes, scheduling
from support.diagnosis import ending as leaving
from support.diagnosis.findings import Cause, Finding, remedy_of, short
from support.diagnosis.observation import Observation, made_by, owned, unheard
from support.kube import owners
from support.kube.containers import ended, injected, is_ready, own, state, statuses, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.kube.errors import ApiError
    from support.kube.objects import Object, Objects


def diagnose(seen: Observation) -> Finding | None:
    """Return why the release cannot go live, None as long as nothing speaks against it.

    A terminal finding goes before a transient one, and the sign nearest to the cause before those that follow from it: a
    pod without its claim is "unschedulable", too. The signs are those of Kubernetes 1.34, measured.
    """
    findings = [*_findings(seen), *routes.causes(seen.routes)]
    return next((finding for finding in findings if finding.terminal), findings[0] if findings else None)


def explain(seen: Observation) -> Finding:
    """Return the best reason for not being live when the deadline has passed."""
    if finding := diagnose(seen):
        return finding
    for claim in seen.claims:
        if _phase(claim) == "Pending":
            detail = f"claim {_name(claim)}: Pending" + _last_word(seen.events_of(claim))
            return Finding(Cause.CLAIM, detail, advice=_advice_on(claim))
    pods = seen.revision_pods()
    if not pods:
        events = seen.events_of(seen.statefulset) if seen.statefulset else []
        return Finding(Cause.NEVER_READY, "no pod of this release was made" + _last_word(events))
    pod = pods[0]
    detail = f"pod {_name(pod)}: {state(pod)}"
    if amiss := seen.obstructions(pod):
        return Finding(Cause.NEVER_READY, f"{detail}, but {'; '.join(amiss)}", advice=_INJECTED)
    return Finding(Cause.NEVER_READY, detail + _last_word(seen.events_of(pod)), advice=unheard(pod))


_INJECTED: Final = (
    "look at `kubectl describe pod chroma-0` for the container that it names, and ask who puts it into pods "
    "(`kubectl get mutatingwebhookconfigurations`)"
)


def insecure(reason: str) -> Finding:
    """Return the finding for a release of which it is known beforehand that nothing keeps strangers out."""
    return Finding(Cause.INSECURE, reason)


def rejection(error: ApiError) -> Finding:
    """Return the finding for what the API server would not take, whatever its status; no answer is raised again."""
    if error.unanswered:
        raise error
    status, message = error.status, error.message
    found = owners.conflicts(message)
    if found and error.stated:
        return _conflict(error.stated, found)
    detail = f"{error.reason or status}: {short(message)}"
    return Finding(
        Cause.ADMISSION, detail, admission.is_final(status, message), admission.advice(message, status)
    )


def ending(detail: str, advice: str | None = None) -> Finding:
    """Return the finding for what a release needs and is being deleted."""
    return Finding(Cause.ENDING, detail, advice=advice)


def _conflict(stated: Object, found: dict[str, list[str]]) -> Finding:
    """Return the finding for fields of an object that other managers own, with the commands that end the conflict."""
    commands = owners.commands(stated, [field for some in found.values() for field in some])
    advice = (
        f"give each field the value that the release asks for, and apply again: "
        f"{', '.join(f'`{command}`' for command in commands)}; or let the release state what the other manager wants"
    )
    detail = f"{stated['kind']} {_name(stated)}: {owners.describe(found)}"
    return Finding(Cause.CONFLICT, detail, advice=advice)


def not_pulled(pod: Object, events: Objects) -> Finding | None:
    """Return why an image of a pod cannot be pulled, None as long as nothing speaks against it."""
    found = [
        *_of_pulling(pod, events),
        *(one for status in statuses(pod) for one in _of_container(pod, status)),
    ]
    findings = sorted((one for one in found if one.kind is Cause.IMAGE), key=lambda one: not one.terminal)
    return findings[0] if findings else None


def not_pulled_in_time(pod: Object, asked: Object, events: Objects) -> Finding:
    """Return why the images of a pod that was `asked` for so are not there at the deadline; it may pull on and on."""
    amiss = injected(pod, asked)
    detail = f"pod {_name(pod)}: {state(own(pod, asked))}" + (f", but {'; '.join(amiss)}" if amiss else "")
    return Finding(
        Cause.IMAGE,
        f"{detail}{_last_word(events)}; it may only take longer",
        terminal=False,
        advice=_INJECTED if amiss else f"apply with more patience (--patience), or {remedy_of(Cause.IMAGE)}",
    )


def has_pulled(pod: Object) -> bool:
    """Whether a pod that was made to run nothing (`objects.prepull_pod`) has all its images: then it lacks only a variable."""
    reasons = [waiting(status).get("reason") for status in statuses(pod)]
    return bool(reasons) and all(reason == "CreateContainerConfigError" for reason in reasons)


def may_be_scheduled(pod: Object) -> bool:
    """Whether nothing has yet kept a pod from finding a node."""
    return not any(scheduling.refusals(pod))


def _findings(seen: Observation) -> Iterator[Finding]:
    for claim in seen.claims:
        yield from _of_claim(claim, seen.events_of(claim))
    pods = seen.revision_pods()
    for pod in pods:
        events = seen.events_of(pod)
        if is_ready(
            pod
        ):  # whatever ended before is history, but a probe that fails is going to take it down again
            yield from _of_probes(pod, events)
            continue
        yield from _of_scheduling(pod, events)
        yield from _of_pulling(pod, events)
        for status in statuses(pod):
            yield from _of_container(pod, status)
        yield from _of_probes(pod, events)
        yield from _of_restarts(pod, events)
        yield from _of_volumes(pod, events)
    if seen.statefulset and not pods:
        yield from _of_ending(seen, seen.statefulset)
        yield from _of_replacement(seen)
        yield from _of_creation(seen.statefulset, seen.events_of(seen.statefulset))


def _of_claim(claim: Object, events: Objects) -> Iterator[Finding]:
    name, advice = _name(claim), _advice_on(claim)
    if _phase(claim) == "Lost":
        yield Finding(Cause.CLAIM, f"claim {name}: Lost, its volume is gone", advice=advice)
    if _phase(claim) == "Pending":
        for event in _with_reason(events, "ProvisioningFailed"):
            # Provisioners try again, and a class may still be created.
            yield Finding(Cause.CLAIM, _describe(f"claim {name}", event), terminal=False, advice=advice)


def _advice_on(claim: Object) -> str:
    """Return what to do about this very claim, and the class that it asks for."""
    described = f"look at `kubectl describe pvc {_name(claim)}`"
    if _phase(claim) == "Lost":
        return f"{described}: a volume that is gone comes back only from a backup, into a new claim"
    if wanted := claim.get("spec", {}).get("storageClassName"):
        return (
            f"{described}, see whether its storage class {wanted} is among `kubectl get storageclass`, and whether the "
            "provisioner of that class runs"
        )
    return f"{described}: it names no storage class; name one of `kubectl get storageclass`"


def _of_scheduling(pod: Object, events: Objects) -> Iterator[Finding]:
    # Never certain: nodes come and are uncordoned, taints go, and labels are set, all within a minute.
    for reason, message in scheduling.refusals(pod):
        detail = f"pod {_name(pod)}: {reason}: {short(message)}"
        if "persistentvolumeclaim" in message.lower():
            # Momentarily true of every claim that is bound only when the pod comes.
            named = re.search(r'persistentvolumeclaim "([^"]+)"', message)
            there = (
                f"look at `kubectl describe pvc {named[1]}`, and whether it is there at all"
                if named
                else None
            )
            yield Finding(Cause.CLAIM, detail, terminal=False, advice=there)
        else:
            yield Finding(
                Cause.UNSCHEDULABLE,
                detail,
                terminal=False,
                advice=scheduling.advice(message),
                awaits=scheduling.node_to_come(events) or scheduling.room_to_come(message),
            )


# A registry's word that there is no such image; whatever else goes wrong with a pull may go right a moment later.
_NO_SUCH_IMAGE: Final = re.compile(r"not found|manifest unknown", re.IGNORECASE)
_NEVER_AN_IMAGE: Final = {"InvalidImageName", "ErrImageNeverPull"}
_NOT_PULLED: Final = {"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", *_NEVER_AN_IMAGE}


# What a runtime says of a command that this image will never run; it may also be short of something for a moment.
_NO_SUCH_COMMAND: Final = re.compile(r"exec: |executable file not found|no such file|permission denied")


def _of_pulling(pod: Object, events: Objects) -> Iterator[Finding]:
    # The event is there a second before the status is.
    for event in events:
        if event["reason"] == "InspectFailed":
            yield Finding(Cause.IMAGE, _describe(f"pod {_name(pod)}", event))
        if event["reason"] == "Failed" and "pull image" in event["message"]:
            terminal = bool(_NO_SUCH_IMAGE.search(event["message"]))
            yield Finding(Cause.IMAGE, _describe(f"pod {_name(pod)}", event), terminal)


def _of_container(pod: Object, status: Object) -> Iterator[Finding]:
    where = f"pod {_name(pod)}, container {status['name']}"
    reason, message = waiting(status).get("reason", ""), waiting(status).get("message", "")
    end = ended(status)
    detail = f"{where}: {reason}: {short(message)}"
    if reason in _NOT_PULLED:
        yield Finding(Cause.IMAGE, detail, reason in _NEVER_AN_IMAGE or bool(_NO_SUCH_IMAGE.search(message)))
    elif _ran_out_of_memory(end, message):
        yield Finding(Cause.MEMORY, f"{where}: {_ending(end)}")
    elif reason in {"RunContainerError", "CreateContainerError"}:
        yield Finding(Cause.FAILING, detail, bool(_NO_SUCH_COMMAND.search(message)))
    elif reason == "CreateContainerConfigError":  # a key may be missing only in what the kubelet has cached
        yield Finding(Cause.FAILING, detail, terminal=False)
    elif end.get("reason") == "StartError":
        terminal = bool(_NO_SUCH_COMMAND.search(end.get("message", "")))
        yield Finding(Cause.FAILING, f"{where}: {_ending(end)}", terminal)


_OPEN_PATH: Final = (
    "the kubelet's probe shows no token, and the path at which it asks wants one: let it ask at /api/v2/heartbeat, which is "
    "open to everybody"
)


def _of_probes(pod: Object, events: Objects) -> Iterator[Finding]:
    for event in events:
        message = event["message"]
        # A slow node may make it the next time.
        if event["reason"] == "Killing" and "probe" in message:
            yield Finding(Cause.NEVER_READY, _describe(f"pod {_name(pod)}", event), terminal=False)
        # "Not yet" is a refused connection, a time-out or a 5xx; a 4xx says that the question itself is wrong.
        if event["reason"] == "Unhealthy" and re.search(r"statuscode: 4(?!08|29)\d\d", message):
            advice = _OPEN_PATH if re.search(r"statuscode: 40[13]", message) else None
            yield Finding(Cause.NEVER_READY, _describe(f"pod {_name(pod)}", event), advice=advice)


def _of_restarts(pod: Object, events: Objects) -> Iterator[Finding]:
    if any("probe" in event["message"] for event in _with_reason(events, "Killing")):
        return  # it did not end by itself
    # The kubelet starts an ended container again at once, and backs off when it ends a second time.
    backs_off = any(
        "restarting failed container" in event["message"] for event in _with_reason(events, "BackOff")
    )
    for status in statuses(pod):
        end = ended(status)
        if end and (backs_off or waiting(status).get("reason") == "CrashLoopBackOff"):
            where = f"pod {_name(pod)}, container {status['name']}"
            yield Finding(Cause.FAILING, f"{where}: {_ending(end)}, again and again")


def _of_volumes(pod: Object, events: Objects) -> Iterator[Finding]:
    if not any("running" in status.get("state", {}) for status in statuses(pod)):
        for event in _with_reason(events, "FailedMount"):
            if (
                "not found" in event["message"]
            ):  # what else keeps a volume from being mounted may take minutes to heal
                yield Finding(Cause.NEVER_READY, _describe(f"pod {_name(pod)}", event), terminal=False)


def _of_replacement(seen: Observation) -> Iterator[Finding]:
    # "OrderedReady" replaces a pod only once it is ready, which a broken one never is: documented as needing a
    # "forced rollback".
    statefulset = seen.statefulset
    if (
        statefulset
        and seen.observed()
        and statefulset["spec"].get("podManagementPolicy", "OrderedReady") == "OrderedReady"
    ):
        for pod in seen.pods:
            if owned(pod, statefulset) and not is_ready(pod):
                detail = f"statefulset {_name(statefulset)}: OrderedReady waits for pod {_name(pod)} of another revision"
                yield Finding(Cause.NEVER_READY, f"{detail}: {state(pod)}", terminal=False)


# By how much the clocks of this machine and of the cluster may differ before a pod that ends in time is taken for stuck.
_CLOCKS: Final = dt.timedelta(seconds=30)


def _of_ending(seen: Observation, statefulset: Object) -> Iterator[Finding]:
    # The StatefulSet makes no other pod before this one has gone. Its node or the owner of a finalizer may still come.
    for pod in seen.pods:
        if (
            leaving.is_ending(pod)
            and made_by(pod, statefulset)
            and not leaving.grace_left(pod, seen.now - _CLOCKS)
        ):
            held = leaving.describe(pod, leaving.holders(pod))
            detail = f"Pod {_name(pod)} is {held}"
            yield Finding(Cause.ENDING, detail, terminal=False, advice=leaving.remedy(pod))


def _of_creation(statefulset: Object, events: Objects) -> Iterator[Finding]:
    for event in _with_reason(events, "FailedCreate"):
        message = event["message"]
        detail = _describe(f"statefulset {_name(statefulset)}", event)
        yield Finding(
            Cause.ADMISSION, detail, admission.is_denied_for_good(message), admission.advice(message)
        )


def _ran_out_of_memory(ended: dict[str, Any], message: str) -> bool:
    # With very little memory the runtime itself is killed before the container starts, and says so in its own words.
    text = f"{ended.get('message', '')} {message}".lower()
    return ended.get("reason") == "OOMKilled" or "oom-kill" in text


def _with_reason(events: Objects, *reasons: str) -> Iterator[Object]:
    return (event for event in events if event["reason"] in reasons)


def _phase(claim: Object) -> str:
    return str(claim.get("status", {}).get("phase", "Pending"))


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def _describe(where: str, event: Object) -> str:
    return f"{where}: {event['reason']}: {short(event['message'])}"


def _ending(ended: dict[str, Any]) -> str:
    message = f": {short(ended['message'])}" if ended.get("message") else ""
    return f"{ended.get('reason', 'ended')}, exit code {ended.get('exitCode', 'unknown')}{message}"


def _last_word(events: Objects) -> str:
    if not events:
        return ""
    last = max(
        events,
        key=lambda event: event.get("lastTimestamp") or event["metadata"].get("creationTimestamp") or "",
    )
    return f", last event: {_describe(last['involvedObject']['kind'].lower(), last)}"
