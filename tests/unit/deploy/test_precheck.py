"""What is being deleted, scaled to nothing or managed by others is seen before it is touched, and told with what to do."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from support.core.wait import Deadlines
from support.deploy import precheck
from support.deploy.precheck import Obstacle, Situation
from support.diagnosis import causes, ending
from support.diagnosis.findings import Cause
from support.diagnosis.observation import Observation
from support.kube import owners
from support.kube.labels import ownership

NOW = dt.datetime(2026, 11, 26, 1, 0, tzinfo=dt.UTC)
EARLIER = "2026-11-26T00:50:00Z"


def obj(kind: str, name: str, *, ours: bool = True, **more: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": "chroma", "uid": f"{kind}-{name}"}
    metadata |= {"labels": ownership(None)} if ours else {}
    return {"kind": kind, "metadata": metadata | more.pop("metadata", {}), "spec": {}, **more}


def deleted(**metadata: Any) -> dict[str, Any]:
    return {"deletionTimestamp": EARLIER, **metadata}


NAMESPACE = obj("Namespace", "chroma")
POD = obj(
    "Pod", "chroma-0", spec={"nodeName": "n1", "volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]}
)
CLAIM = obj("PersistentVolumeClaim", "data", metadata=deleted(finalizers=["kubernetes.io/pvc-protection"]))
CLAIM["spec"] = {"volumeName": "pv-1"}


def volume(policy: str, **metadata: Any) -> dict[str, Any]:
    return {
        "kind": "PersistentVolume",
        "metadata": {"name": "pv-1", **metadata},
        "spec": {"persistentVolumeReclaimPolicy": policy},
    }


def told(*found: Obstacle) -> str:
    return "\n".join(map(str, found))


def test_a_claim_that_is_being_deleted_is_told_with_its_pod_and_how_to_save_its_data() -> None:
    (found,) = Situation(NAMESPACE, [POD, CLAIM], {"pv-1": volume("Delete")}).lost_with_the_pod()
    assert found.final
    assert f"since {EARLIER}, held by pod chroma-0" in str(found)
    assert "when pod chroma-0 ends, it goes, with its volume and all data" in str(found)
    assert "kubectl patch pv pv-1 -p" in str(found)


def test_the_data_of_a_claim_whose_volume_is_kept_is_not_told_as_lost() -> None:
    (found,) = Situation(NAMESPACE, [POD, CLAIM], {"pv-1": volume("Retain")}).lost_with_the_pod()
    assert "its volume pv-1 is kept" in str(found)
    assert "kubectl patch pv" not in str(found)


def test_a_claim_that_stays_is_no_obstacle() -> None:
    assert not Situation(NAMESPACE, [POD, obj("PersistentVolumeClaim", "data")]).lost_with_the_pod()


def test_a_volume_that_is_being_deleted_under_its_claim_is_warned_of() -> None:
    marked = volume("Delete", deletionTimestamp=EARLIER, finalizers=["kubernetes.io/pv-protection"])
    (found,) = Situation(NAMESPACE, [], {"pv-1": marked}).warnings()
    assert found.startswith("PersistentVolume pv-1 is being deleted since")


@pytest.mark.parametrize("kind", ["Pod", "StatefulSet", "Service", "Ingress", "Secret", "ConfigMap"])
def test_any_object_that_is_being_deleted_is_told_with_its_finalizer_and_the_command(kind: str) -> None:
    held = obj(kind, "held", metadata=deleted(finalizers=["example.com/hold"]))
    (found,) = Situation(NAMESPACE, [held], now=NOW).ending()
    assert str(found).startswith(
        f"{kind} held is being deleted since {EARLIER}, held by its finalizer example.com/hold"
    )
    assert f"kubectl -n chroma patch {kind.lower()} held --type=merge" in found.remedy
    assert not found.final, "its owner may still remove the finalizer"


def test_what_is_not_ours_counts_only_where_a_release_needs_it() -> None:
    there = Situation(NAMESPACE, [obj("Secret", "theirs", ours=False, metadata=deleted())])
    assert not there.ending()
    assert there.ending({("Secret", "theirs")})


def test_a_pod_of_others_counts_that_mounts_the_claim_of_a_release() -> None:
    theirs = {**POD, "metadata": {"name": "theirs", "namespace": "chroma", **deleted()}}
    assert Situation(NAMESPACE, [theirs]).ending({("PersistentVolumeClaim", "data")})


def test_a_pod_on_a_node_that_is_not_ready_is_told_with_the_node() -> None:
    node = {
        "kind": "Node",
        "metadata": {"name": "n1"},
        "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]},
    }
    pod = {**POD, "metadata": POD["metadata"] | deleted()}
    (found,) = Situation(NAMESPACE, [pod], nodes={"n1": node}, now=NOW).ending()
    assert "its node n1, which is not ready" in found.seen
    assert "--force" in found.remedy


def test_a_pod_has_its_grace_to_end_unless_only_a_finalizer_holds_it() -> None:
    metadata = POD["metadata"] | {
        "deletionTimestamp": "2026-11-26T01:00:40Z",
        "deletionGracePeriodSeconds": 60,
    }
    pod = {**POD, "metadata": metadata}
    assert ending.since(pod) == "2026-11-26T00:59:40Z"
    assert ending.grace_left(pod, NOW) == 40
    ended = {**pod, "status": {"containerStatuses": [{"state": {"terminated": {}}}]}}
    assert ending.grace_left(ended, NOW) == 40, "the kubelet is about to remove it"
    held = {**ended, "metadata": metadata | {"finalizers": ["example.com/hold"]}}
    assert ending.grace_left(held, NOW) == 0


def test_a_namespace_that_is_being_deleted_is_all_there_is_to_say() -> None:
    conditions = [
        {"type": "NamespaceFinalizersRemaining", "status": "True", "message": "Some content has finalizers"},
        {"type": "NamespaceDeletionContentFailure", "status": "False", "message": "All content deleted"},
    ]
    namespace = {**NAMESPACE, "status": {"conditions": conditions}}
    namespace["metadata"] = NAMESPACE["metadata"] | deleted()
    pod = {**POD, "metadata": POD["metadata"] | deleted()}
    (found,) = Situation(namespace, [pod], held=("ConfigMap x (finalizer example.com/hold)",)).ending()
    assert "Namespace chroma is being deleted since" in str(found)
    assert "Some content has finalizers, ConfigMap x (finalizer example.com/hold)" in str(found)
    assert "All content deleted" not in str(found)


def managed(replicas: int, *entries: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    fields = [
        {"manager": manager, "operation": operation, "time": EARLIER, "fieldsV1": what}
        for manager, operation, what in entries
    ]
    found = obj("StatefulSet", "chroma", metadata={"managedFields": fields})
    return {**found, "spec": {"replicas": replicas}}


REPLICAS: dict[str, Any] = {"f:spec": {"f:replicas": {}}}


@pytest.mark.parametrize(
    ("entries", "who"),
    [
        ([("kubectl-patch", "Update", REPLICAS)], f'by "kubectl-patch" since {EARLIER}'),
        ([("argocd", "Apply", REPLICAS)], f'by "argocd" since {EARLIER}'),
        ([("kubectl-edit", "Update", {"f:spec": {}})], "by a user whose name is not recorded"),
        ([], "by a user whose name is not recorded"),
        ([("chroma-conformance", "Update", REPLICAS)], "for a backup that was killed"),
        ([("chroma-conformance", "Apply", REPLICAS)], 'by "chroma-conformance"'),
    ],
)
def test_a_release_without_pods_is_told_with_who_scaled_it_and_how_it_comes_back(
    entries: list[tuple[str, str, dict[str, Any]]], who: str
) -> None:
    found = Situation(NAMESPACE, [managed(0, *entries)]).scaled_to_zero()
    assert found
    assert f"scaled to 0 {who}" in str(found)
    assert "`kubectl -n chroma scale statefulset chroma --replicas=1`" in found.remedy


def test_a_release_without_pods_is_told_as_that_whatever_else_is_going() -> None:
    copying = obj("Pod", "chroma-copy", metadata=deleted())
    why = Situation(NAMESPACE, [copying, managed(0)]).why_not_live()
    assert why
    assert why.what == "StatefulSet chroma"


def test_a_release_with_a_pod_is_not_told_as_scaled_to_zero() -> None:
    assert Situation(NAMESPACE, [managed(1)]).scaled_to_zero() is None


def test_a_claim_that_another_has_taken_the_place_of_is_gone() -> None:
    other = obj("PersistentVolumeClaim", "data", metadata={"uid": "another"})
    (found,) = precheck.lost([CLAIM], Situation(NAMESPACE, [other]))
    assert "the data that it held" in found.seen
    assert not precheck.lost([CLAIM], Situation(NAMESPACE, [CLAIM]))


def test_what_is_final_is_not_waited_for() -> None:
    found = [Obstacle("a", "b", "c", final=True)]
    lines: list[str] = []
    assert precheck.lasting(lambda: found, Deadlines(doubt=1000), lines.append) == found
    assert not lines


def test_what_goes_by_itself_is_waited_for_and_told_with_a_deadline() -> None:
    looks = iter([[Obstacle("pod x", "being deleted", "")], []])
    lines: list[str] = []
    assert precheck.lasting(lambda: next(looks, []), Deadlines(doubt=7), lines.append) == []
    assert lines == ["waiting for at most 7 s: pod x is being deleted"]


def test_what_does_not_go_is_returned_after_a_doubts_time() -> None:
    found = [Obstacle("pod x", "being deleted", "")]
    assert precheck.lasting(lambda: found, Deadlines(doubt=0.0), lambda _: None) == found


@pytest.mark.parametrize(
    ("message", "promised"),
    [
        (
            'Apply failed with 1 conflict: conflict with "kubectl-patch" using apps/v1: .spec.replicas',
            {"kubectl-patch": [".spec.replicas"]},
        ),
        (
            (
                'Apply failed with 1 conflict: conflict with "x y" with subresource "scale" using autoscaling/v1 '
                "at 2026-11-26T00:50:00Z: .spec.replicas"
            ),
            {"x y": [".spec.replicas"]},
        ),
        (
            (
                'Apply failed with 3 conflicts: conflicts with "a" using v1:\n- .spec.type\n- .data.k\n'
                'conflicts with "b" using v1 at 2026-11-26T00:50:00Z:\n- .metadata.labels.app'
            ),
            {"a": [".spec.type", ".data.k"], "b": [".metadata.labels.app"]},
        ),
        ("spec is immutable", {}),
    ],
)
def test_a_conflict_is_read_as_who_manages_what(message: str, promised: dict[str, list[str]]) -> None:
    assert owners.conflicts(message) == promised


@pytest.mark.parametrize(
    ("field", "promised"),
    [
        (".spec.replicas", "kubectl -n chroma scale statefulset chroma --replicas=1"),
        (
            '.spec.template.spec.containers[name="chroma"].image',
            (
                """kubectl -n chroma patch statefulset chroma -p '{"spec": {"template": {"spec": {"containers": """
                """[{"name": "chroma", "image": "i"}]}}}}'"""
            ),
        ),
        (
            ".metadata.labels.app.kubernetes.io/name",
            """kubectl -n chroma patch statefulset chroma -p '{"metadata": {"labels": {"app.kubernetes.io/name": "n"}}}'""",
        ),
        (".spec.unknown", "kubectl -n chroma get statefulset chroma -o yaml --show-managed-fields"),
    ],
)
def test_the_command_that_ends_a_conflict_gives_the_field_its_stated_value(field: str, promised: str) -> None:
    stated = {
        "kind": "StatefulSet",
        "metadata": {"name": "chroma", "namespace": "chroma", "labels": {"app.kubernetes.io/name": "n"}},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "chroma", "image": "i"}]}}},
    }
    assert owners.commands(stated, [field]) == [promised]


def test_the_command_that_ends_a_conflict_over_a_secret_does_not_show_it() -> None:
    stated = {
        "kind": "Secret",
        "metadata": {"name": "chroma-auth", "namespace": "chroma"},
        "data": {"auth-token": "c2VjcmV0"},
    }
    (command,) = owners.commands(stated, [".data.auth-token"])
    assert "c2VjcmV0" not in command
    assert '{"data": {"auth-token": null}}' in command


def test_a_pod_of_the_rollout_before_that_does_not_go_is_the_reason_of_a_refusal() -> None:
    statefulset = obj("StatefulSet", "chroma", status={"observedGeneration": 2, "updateRevision": "new"})
    statefulset["metadata"]["generation"] = 2
    metadata = POD["metadata"] | deleted(
        finalizers=["example.com/hold"], ownerReferences=[{"uid": "StatefulSet-chroma"}]
    )
    found = causes.diagnose(Observation(statefulset, [{**POD, "metadata": metadata}], now=NOW))
    assert found
    assert found.kind is Cause.ENDING
    assert not found.terminal, "the owner of the finalizer may still come"
    assert "held by its finalizer example.com/hold" in found.detail
    in_grace = metadata | {"deletionTimestamp": "2026-11-26T01:00:30Z"}
    assert causes.diagnose(Observation(statefulset, [{**POD, "metadata": in_grace}], now=NOW)) is None
