"""Offline checks of diagnosis, one for each sign of a release that cannot go live, as the cluster shows it."""

from __future__ import annotations

from typing import Any

import pytest

from support.diagnosis.causes import diagnose, explain, has_pulled, may_be_scheduled, not_pulled
from support.diagnosis.findings import Cause
from support.diagnosis.observation import Observation
from support.kube.containers import state

Object = dict[str, Any]

SET = {
    "kind": "StatefulSet",
    "metadata": {"name": "chroma", "uid": "set", "generation": 2},
    "spec": {"replicas": 1, "podManagementPolicy": "Parallel"},
    "status": {"observedGeneration": 2, "updateRevision": "new"},
}
CLAIM = {"kind": "PersistentVolumeClaim", "metadata": {"name": "chroma-data-pvc", "uid": "claim"}}
PENDING = CLAIM | {"status": {"phase": "Pending"}}
NO_MEMORY = {"reason": "OOMKilled", "exitCode": 137}
CRASH = {"reason": "Error", "exitCode": 1}
RUNNING: Object = {"running": {}}


def pod(*containers: Object, uid: str = "pod", **metadata: Any) -> Object:
    return {
        "kind": "Pod",
        "metadata": {
            "name": "chroma-0",
            "uid": uid,
            "labels": {"controller-revision-hash": "new"},
            "ownerReferences": [{"uid": "set"}],
            **metadata,
        },
        "spec": {"nodeName": "n1"},
        "status": {"containerStatuses": list(containers)},
    }


def container(now: Object, last: Object | None = None, *, ready: bool = False) -> Object:
    return {"name": "chroma", "state": now, "lastState": last or {}, "ready": ready}


def waiting(reason: str, message: str = "", last: Object | None = None) -> Object:
    return container(
        {"waiting": {"reason": reason, "message": message}}, {"terminated": last} if last else None
    )


def unscheduled(message: str) -> Object:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return pod() | {"spec": {}, "status": {"conditions": [condition]}}


def event(reason: str, message: str, uid: str = "pod", kind: str = "Pod") -> Object:
    return {
        "kind": "Event",
        "metadata": {"name": f"{uid}.{reason}", "uid": reason},
        "involvedObject": {"kind": kind, "uid": uid},
        "reason": reason,
        "message": message,
        "lastTimestamp": "2025-01-01T00:00:00Z",
    }


def seen(
    *pods: Object, events: tuple[Object, ...] = (), claims: tuple[Object, ...] = (), sts: Object = SET
) -> Observation:
    return Observation(sts, list(pods), list(claims), list(events))


NOT_FOUND = (
    'rpc error: code = NotFound desc = failed to pull and unpack image "r/library/chroma:0": not found'
)
UNREACHABLE = (
    'failed to pull and unpack image "r/library/chroma:0": failed to do request: Head "https://r": dial tcp'
)
OVERFULL = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 {}."
NOT_HELPFUL = OVERFULL.format("Preemption is not helpful for scheduling")
NO_VICTIMS = OVERFULL.format("No preemption victims found for incoming pod")
NO_CLASS = 'storageclass.storage.k8s.io "no-such-class" not found'
UNBOUND = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
NO_CLAIM = '0/1 nodes are available: persistentvolumeclaim "chroma-data-pvc" not found.'
POD_SECURITY = (
    'create Pod chroma-0 failed error: pods "chroma-0" is forbidden: violates PodSecurity "restricted:latest"'
)
QUOTA = 'create Pod chroma-0 failed error: pods "chroma-0" is forbidden: exceeded quota: small'


@pytest.mark.parametrize(
    ("sight", "cause", "terminal", "word"),
    [
        pytest.param(
            seen(pod(), events=(event("Failed", f'Failed to pull image "r/library/chroma:0": {NOT_FOUND}'),)),
            *(Cause.IMAGE, True, "Failed to pull image"),
            id="image tag missing, by its event",
        ),
        pytest.param(
            seen(pod(waiting("ErrImagePull", NOT_FOUND))),
            Cause.IMAGE,
            True,
            "ErrImagePull",
            id="image tag missing",
        ),
        pytest.param(
            seen(pod(waiting("ImagePullBackOff", f"Back-off pulling image: ErrImagePull: {NOT_FOUND}"))),
            *(Cause.IMAGE, True, "not found"),
            id="image tag missing, backing off",
        ),
        pytest.param(
            seen(pod(waiting("ErrImagePull", UNREACHABLE))),
            Cause.IMAGE,
            False,
            "dial tcp",
            id="registry unreachable",
        ),
        pytest.param(
            seen(pod(waiting("InvalidImageName"))), Cause.IMAGE, True, "InvalidImageName", id="bad image name"
        ),
        pytest.param(
            seen(pod(), events=(event("InspectFailed", 'Failed to apply default image tag "r/x::1"'),)),
            *(Cause.IMAGE, True, "InspectFailed"),
            id="bad image name, by its event",
        ),
        pytest.param(
            seen(pod(container({"terminated": NO_MEMORY}))),
            Cause.MEMORY,
            True,
            "OOMKilled, exit code 137",
            id="OOM",
        ),
        pytest.param(
            seen(pod(waiting("CrashLoopBackOff", last=NO_MEMORY))),
            Cause.MEMORY,
            True,
            "OOMKilled",
            id="OOM at start",
        ),
        pytest.param(
            seen(
                pod(
                    waiting(
                        "CrashLoopBackOff",
                        last={
                            "reason": "StartError",
                            "exitCode": 128,
                            "message": "container init was OOM-killed (memory limit too low?)",
                        },
                    )
                )
            ),
            *(Cause.MEMORY, True, "memory limit too low"),
            id="OOM before the start",
        ),
        pytest.param(
            seen(pod(waiting("CrashLoopBackOff", last=CRASH))),
            Cause.FAILING,
            True,
            "Error, exit code 1",
            id="crash",
        ),
        pytest.param(
            seen(
                pod(container({"terminated": CRASH})),
                events=(event("BackOff", "Back-off restarting failed container chroma in pod chroma-0"),),
            ),
            *(Cause.FAILING, True, "Error, exit code 1, again and again"),
            id="crash at start, by its event",
        ),
        pytest.param(
            seen(pod(waiting("RunContainerError", 'exec: "x": not found'))),
            *(Cause.FAILING, True, 'exec: "x"'),
            id="command missing",
        ),
        pytest.param(
            seen(pod(container(RUNNING, {"terminated": {"reason": "StartError", "exitCode": 128}}))),
            *(Cause.FAILING, False, "StartError, exit code 128"),
            id="command missing, after the fact",
        ),
        pytest.param(
            seen(pod() | {"status": {"initContainerStatuses": [waiting("CrashLoopBackOff", last=CRASH)]}}),
            *(Cause.FAILING, True, "exit code 1"),
            id="bad gateway configuration",
        ),
        pytest.param(
            seen(pod(), events=(event("FailedMount", 'MountVolume.SetUp failed: secret "x" not found'),)),
            *(Cause.NEVER_READY, False, 'secret "x" not found'),
            id="secret of a volume missing",
        ),
        pytest.param(
            seen(pod(waiting("CreateContainerConfigError", "couldn't find key auth-token in Secret"))),
            *(Cause.FAILING, False, "auth-token"),
            id="key of a secret missing",
        ),
        pytest.param(
            seen(
                pod(container(RUNNING)),
                events=(
                    event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 401"),
                ),
            ),
            *(Cause.NEVER_READY, True, "statuscode: 401"),
            id="readiness path wrong",
        ),
        pytest.param(
            seen(
                pod(waiting("CrashLoopBackOff", last={"reason": "Completed", "exitCode": 0})),
                events=(event("Killing", "Container chroma failed startup probe, will be restarted"),),
            ),
            *(Cause.NEVER_READY, False, "failed startup probe"),
            id="start-up path wrong",
        ),
        pytest.param(
            seen(
                pod(container(RUNNING, ready=True))
                | {"status": {"conditions": [{"type": "Ready", "status": "True"}]}},
                events=(event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404"),),
            ),
            *(Cause.NEVER_READY, True, "Liveness probe failed"),
            id="liveness path wrong, while it is ready",
        ),
        pytest.param(
            seen(
                unscheduled(UNBOUND),
                claims=(PENDING,),
                events=(event("ProvisioningFailed", NO_CLASS, "claim", "PersistentVolumeClaim"),),
            ),
            *(Cause.CLAIM, False, "no-such-class"),
            id="storage class unknown",
        ),
        pytest.param(seen(unscheduled(NO_CLAIM)), Cause.CLAIM, False, "chroma-data-pvc", id="claim absent"),
        pytest.param(
            seen(claims=(CLAIM | {"status": {"phase": "Lost"}},)),
            Cause.CLAIM,
            True,
            "volume is gone",
            id="volume lost",
        ),
        pytest.param(
            seen(unscheduled(NOT_HELPFUL)),
            Cause.UNSCHEDULABLE,
            False,
            "Insufficient cpu",
            id="too much CPU for any node",
        ),
        pytest.param(
            seen(unscheduled(NO_VICTIMS)),
            Cause.UNSCHEDULABLE,
            False,
            "Insufficient cpu",
            id="nodes full just now",
        ),
        pytest.param(
            seen(events=(event("FailedCreate", POD_SECURITY, "set", "StatefulSet"),)),
            *(Cause.ADMISSION, True, "violates PodSecurity"),
            id="Pod Security",
        ),
        pytest.param(
            seen(
                events=(
                    event("FailedCreate", "no PriorityClass with name X was found", "set", "StatefulSet"),
                )
            ),
            *(Cause.ADMISSION, False, "no PriorityClass"),
            id="PriorityClass missing",
        ),
        pytest.param(
            seen(events=(event("FailedCreate", QUOTA, "set", "StatefulSet"),)),
            *(Cause.ADMISSION, False, "exceeded quota"),
            id="quota",
        ),
    ],
)
def test_a_sign_tells_its_cause(sight: Observation, cause: Cause, terminal: bool, word: str) -> None:
    finding = diagnose(sight)
    assert finding
    assert (finding.kind, finding.terminal) == (cause, terminal)
    assert word in finding.detail


ORDERED = SET | {"spec": {"podManagementPolicy": "OrderedReady"}}
OLD: Object = {"labels": {"controller-revision-hash": "old"}}
READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}


@pytest.mark.parametrize(
    "sight",
    [
        pytest.param(Observation(), id="nothing yet"),
        pytest.param(seen(pod(waiting("ContainerCreating"))), id="on its way"),
        pytest.param(seen(claims=(PENDING,)), id="a claim that waits for its pod"),
        pytest.param(
            seen(
                pod(container(RUNNING)),
                events=(event("Unhealthy", "Readiness probe failed: connection refused"),),
            ),
            id="a probe before the server listens",
        ),
        pytest.param(
            seen(
                pod(container(RUNNING)),
                events=(
                    event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
                ),
            ),
            id="a gateway before its server listens",
        ),
        pytest.param(seen(pod(container({"terminated": CRASH}))), id="a first crash, which may be the last"),
        pytest.param(
            seen(pod(container(RUNNING, {"terminated": NO_MEMORY})) | READY), id="a crash that has healed"
        ),
        pytest.param(
            seen(pod(waiting("ErrImagePull", NOT_FOUND)), sts=SET | {"status": {"observedGeneration": 1}}),
            id="a status that speaks of the rollout before",
        ),
        pytest.param(
            seen(pod(waiting("ErrImagePull", NOT_FOUND), labels={"controller-revision-hash": "old"})),
            id="a pod of the revision before",
        ),
        pytest.param(
            seen(pod(waiting("ImagePullBackOff"), **OLD)),
            id="a reverted update whose pod is about to be replaced",
        ),
        pytest.param(
            seen(pod(container({"terminated": NO_MEMORY}), deletionTimestamp="2100-01-01T00:00:00Z")),
            id="a pod that is being deleted",
        ),
        pytest.param(
            seen(pod(waiting("ErrImagePull", NOT_FOUND), ownerReferences=[{"uid": "another"}])),
            id="a pod of somebody else",
        ),
        pytest.param(
            seen(pod(uid="second"), events=(event("Failed", f"Failed to pull image: {NOT_FOUND}", "first"),)),
            id="an event about a pod of the same name before it",
        ),
        pytest.param(
            seen(pod(), events=(event("FailedCreate", QUOTA, "set", "StatefulSet"),)),
            id="a pod that could not be made at first",
        ),
        pytest.param(
            seen(pod(container(RUNNING)), events=(event("Killing", "Stopping container chroma"),)),
            id="an orderly end",
        ),
    ],
)
def test_what_may_still_become_live_is_not_accused(sight: Observation) -> None:
    assert diagnose(sight) is None


def test_a_reverted_update_that_is_stuck_is_told() -> None:
    finding = diagnose(seen(pod(waiting("ImagePullBackOff"), **OLD), sts=ORDERED))
    assert finding
    assert (finding.kind, finding.terminal) == (Cause.NEVER_READY, False)
    assert "OrderedReady waits for pod chroma-0" in finding.detail


def test_a_terminal_finding_goes_before_a_transient_one() -> None:
    doubtful = event("FailedMount", "MountVolume.SetUp failed: object not registered")
    finding = diagnose(seen(pod(waiting("InvalidImageName")), events=(doubtful,)))
    assert finding
    assert finding.kind is Cause.IMAGE


@pytest.mark.parametrize(
    ("sight", "cause", "word"),
    [
        pytest.param(
            seen(unscheduled(NO_VICTIMS)), Cause.UNSCHEDULABLE, "Insufficient cpu", id="a doubt that stayed"
        ),
        pytest.param(
            seen(claims=(PENDING,), events=(event("ExternalProvisioning", "waiting", "claim", "Claim"),)),
            *(Cause.CLAIM, "ExternalProvisioning: waiting"),
            id="provisioner dead",
        ),
        pytest.param(seen(), Cause.NEVER_READY, "no pod of this release was made", id="no pod"),
        pytest.param(
            seen(pod(container(RUNNING)), events=(event("Unhealthy", "Readiness probe failed: timeout"),)),
            *(Cause.NEVER_READY, "pod chroma-0: not ready (0/1), last event: pod: Unhealthy"),
            id="deaf",
        ),
    ],
)
def test_a_missed_deadline_names_the_best_reason_there_is(
    sight: Observation, cause: Cause, word: str
) -> None:
    finding = explain(sight)
    assert finding.kind is cause
    assert word in finding.detail


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (unscheduled(NO_VICTIMS), "not scheduled"),
        (pod(waiting("ContainerCreating")), "ContainerCreating"),
        (pod(waiting("PodInitializing"), container(RUNNING, ready=True)), "not ready (1/2)"),
        (pod(container(RUNNING, ready=True)), "ready"),
    ],
)
def test_a_pod_is_told_in_a_few_words(what: Object, words: str) -> None:
    assert state(what) == words


def prepull_pod(*containers: Object, conditions: tuple[Object, ...] = ()) -> Object:
    return pod(*containers) | {
        "status": {"containerStatuses": list(containers), "conditions": list(conditions)}
    }


def test_an_image_that_is_not_there_is_told_before_anything_runs() -> None:
    refused = prepull_pod(waiting("CreateContainerConfigError"), waiting("ErrImagePull", NOT_FOUND))
    finding = not_pulled(refused, [])
    assert finding
    assert finding.kind is Cause.IMAGE
    assert finding.terminal
    assert not has_pulled(refused)


def test_a_pod_that_lacks_only_its_variable_has_its_images() -> None:
    pulled = prepull_pod(waiting("CreateContainerConfigError"), waiting("CreateContainerConfigError"))
    assert not_pulled(pulled, []) is None
    assert has_pulled(pulled)
    assert not has_pulled(prepull_pod(waiting("CreateContainerConfigError"), waiting("ContainerCreating")))
    assert not has_pulled(prepull_pod())


def test_a_registrys_silence_is_no_certain_no() -> None:
    finding = not_pulled(prepull_pod(waiting("ErrImagePull", UNREACHABLE)), [])
    assert finding
    assert not finding.terminal


def test_a_pod_without_a_node_waits_for_none() -> None:
    assert may_be_scheduled(prepull_pod())
    assert not may_be_scheduled(unscheduled(OVERFULL.format("No preemption victims found")))
