"""What others put into a pod counts for nothing: not in its state, its end, its images, its events or its restarts."""

from __future__ import annotations

from typing import Any

import pytest

from support.diagnosis.causes import (
    diagnose,
    explain,
    has_pulled,
    not_pulled,
    not_pulled_in_time,
)
from support.diagnosis.findings import Cause
from support.diagnosis.observation import Observation
from support.kube.containers import injected, own, phase, state

Object = dict[str, Any]

SET: Object = {
    "kind": "StatefulSet",
    "metadata": {"name": "chroma", "uid": "set", "generation": 1},
    "spec": {
        "replicas": 1,
        "podManagementPolicy": "Parallel",
        "template": {
            "spec": {"initContainers": [{"name": "gateway"}], "containers": [{"name": "chroma"}]},
        },
    },
    "status": {"observedGeneration": 1, "updateRevision": "new"},
}
ASKED: Object = {"kind": "Pod", "spec": {"containers": [{"name": "probe"}]}}
READY: Object = {"running": {}}
DONE: Object = {"terminated": {"reason": "Completed", "exitCode": 0}}
FAILED: Object = {"terminated": {"reason": "Error", "exitCode": 3}}
CRASHED: Object = {"waiting": {"reason": "CrashLoopBackOff"}}
UNPULLED: Object = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
LACKING: Object = {"waiting": {"reason": "CreateContainerConfigError"}}


def pod(
    init: dict[str, Object] | None = None, phase: str = "Running", ready: bool = False, **states: Object
) -> Object:
    def shown(of: dict[str, Object]) -> list[Object]:
        return [
            {"name": name.replace("_", "-"), "state": state, "ready": "running" in state, "restartCount": 0}
            for name, state in of.items()
        ]

    before, beside = shown(init or {}), shown(states)
    return {
        "kind": "Pod",
        "metadata": {
            "name": "chroma-0",
            "uid": "pod",
            "labels": {"controller-revision-hash": "new"},
            "ownerReferences": [{"uid": "set"}],
        },
        "spec": {
            "nodeName": "n1",
            "initContainers": [{"name": one["name"]} for one in before],
            "containers": [{"name": one["name"]} for one in beside],
        },
        "status": {
            "phase": phase,
            "initContainerStatuses": before,
            "containerStatuses": beside,
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


def event(reason: str, message: str, container: str) -> Object:
    return {
        "metadata": {"name": "e", "uid": reason},
        "involvedObject": {"kind": "Pod", "uid": "pod", "fieldPath": f"spec.containers{{{container}}}"},
        "reason": reason,
        "message": message,
        "lastTimestamp": "2025-01-01T00:00:00Z",
    }


@pytest.mark.parametrize("amiss", [CRASHED, UNPULLED, FAILED], ids=["crashes", "is not pulled", "has ended"])
@pytest.mark.parametrize("native", [False, True], ids=["ordinary", "native"])
def test_an_injected_container_refuses_no_release_and_is_named_at_the_deadline(
    amiss: Object, native: bool
) -> None:
    of = {"istio-proxy": amiss}
    seen = Observation(
        SET,
        [
            pod({"gateway": READY, **(of if native else {})}, chroma=READY)
            if native
            else pod({"gateway": READY}, chroma=READY, istio_proxy=amiss)
        ],
        [],
        [event("Failed", "Failed to pull image x: not found", "istio-proxy")],
    )
    assert diagnose(seen) is None
    finding = explain(seen)
    assert finding.kind is Cause.NEVER_READY
    assert "pod chroma-0: ready, but container istio-proxy, which something else has put there, is" in str(
        finding
    )
    assert "mutatingwebhookconfigurations" in finding.remedy


def test_what_befalls_an_own_container_counts_as_ever() -> None:
    seen = Observation(SET, [pod({"gateway": READY}, chroma=UNPULLED, istio_proxy=READY)])
    finding = diagnose(seen)
    assert finding
    assert (finding.kind, "container chroma" in finding.detail) == (Cause.IMAGE, True)


def test_an_event_about_an_own_container_counts_as_ever() -> None:
    failed = event("Failed", "Failed to pull image x: not found", "chroma")
    assert diagnose(Observation(SET, [pod(chroma=LACKING, istio_proxy=READY)], [], [failed]))


def test_a_pod_that_only_pulls_is_done_whatever_runs_beside() -> None:
    asked = {"kind": "Pod", "spec": {"containers": [{"name": "gateway"}, {"name": "chroma"}]}}
    for whole in (
        pod(gateway=LACKING, chroma=LACKING, istio_proxy=READY),
        pod({"istio-proxy": READY}, gateway=LACKING, chroma=LACKING),
        pod(gateway=LACKING, chroma=LACKING, istio_proxy=UNPULLED),
    ):
        assert has_pulled(own(whole, asked))
        assert not_pulled(own(whole, asked), []) is None
    waits = pod({"istio-proxy": UNPULLED}, gateway={"waiting": {"reason": "PodInitializing"}})
    assert not has_pulled(own(waits, asked))
    late = not_pulled_in_time(waits, asked, [])
    assert late.kind is Cause.IMAGE
    assert "container istio-proxy" in late.detail


@pytest.mark.parametrize(
    ("whole", "ended"),
    [
        (pod(probe=DONE, istio_proxy=READY), "Succeeded"),
        (pod(probe=FAILED, istio_proxy=READY), "Failed"),
        (pod({"istio-proxy": READY}, probe=DONE), "Succeeded"),
        (pod(probe=DONE, phase="Succeeded"), "Succeeded"),
        (pod(phase="Failed"), "Failed"),
        (pod(probe=READY, istio_proxy=FAILED), "Running"),
        (pod(probe=LACKING, istio_proxy=READY), "Pending"),
        ({}, ""),
    ],
)
def test_a_pod_has_ended_when_its_own_container_has(whole: Object, ended: str) -> None:
    assert phase(own(whole, ASKED)) == ended


def test_a_state_counts_own_containers_alone() -> None:
    whole = pod({"gateway": READY}, chroma=READY, istio_proxy=CRASHED)
    assert state(own(whole, SET)) == "ready"
    assert injected(whole, SET) == [
        "container istio-proxy, which something else has put there, is CrashLoopBackOff"
    ]
    assert injected(pod({"istio-init": DONE}, chroma=READY), SET) == []
