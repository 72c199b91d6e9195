"""The trouble of who uses a release is named from what they were told and from what the cluster shows."""

from __future__ import annotations

from typing import Any, cast

import pytest

from support.deploy.liveness import NotYet
from support.deploy.rollout import unanswered
from support.diagnosis import inquiry
from support.diagnosis.findings import Cause, Finding, Trouble, remedy_of
from support.diagnosis.troubles import diagnose, of_objects
from support.kube.errors import ApiError

HEARTBEAT = "GET /api/v2/heartbeat through the ingress"


@pytest.mark.parametrize(
    ("told", "trouble"),
    [
        (f'{HEARTBEAT}: 401 {{"error":"AuthError","message":"Unauthorized"}}', Trouble.TOKEN),
        (f"was let in (and 2 more): {HEARTBEAT}: 200 []\n  x", Trouble.INSECURE),
        (f"was let in, not refused with 401: {HEARTBEAT}: 503 no available server", Trouble.SILENCE),
        ("was let in, not refused with 401: GET /x through the pod: 404 ", Trouble.INSECURE),
        (f'{HEARTBEAT}: 403 {{"error":"Forbidden"}}', Trouble.TOKEN),
        ('ChromaAuthError: {"error":"AuthError","message":"Unauthorized"}', Trouble.TOKEN),
        ("POST /x through the ingress: 413 Request Entity Too Large", Trouble.BODY),
        ('POST /x through the service: 413 {"error":"PayloadTooLarge"}', Trouble.BODY),
        ("NotFoundError: Collection [feld-notes] does not exist", Trouble.COLLECTION),
        ("InvalidCollectionException: Collection feld-notes does not exist.", Trouble.COLLECTION),
        (
            "InvalidArgumentError: Collection expecting embedding with dimension of 16, got 2",
            Trouble.DIMENSION,
        ),
        (
            "InvalidDimensionException: Embedding dimension 2 does not match collection dimensionality 16",
            Trouble.DIMENSION,
        ),
        (
            "InternalError: Error in compaction: Failed to apply logs to the hnsw segment writer",
            Trouble.FULL,
        ),
        ("InternalError: error returned from database: (code: 13) database or disk is full", Trouble.FULL),
        (f"{HEARTBEAT}: SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED]", Trouble.CERTIFICATE),
        (f"{HEARTBEAT}: 404 404 page not found", Trouble.HOST),
        (f"{HEARTBEAT}: 503 no available server", Trouble.SILENCE),
        (f"{HEARTBEAT}: ConnectionRefusedError: [Errno 111] Connection refused", Trouble.SILENCE),
        (
            f"{HEARTBEAT}: RemoteProtocolError: Server disconnected without sending a response.",
            Trouble.SILENCE,
        ),
    ],
)
def test_an_answer_tells_its_trouble(told: str, trouble: Trouble) -> None:
    assert diagnose(told) == Finding(trouble, told)


@pytest.mark.parametrize(
    "told",
    [f'{HEARTBEAT}: 200 {{"nanosecond heartbeat":401}}', f'{HEARTBEAT}: 404 {{"error":"x"}}', "3 records"],
)
def test_what_is_no_trouble_is_not_taken_for_one(told: str) -> None:
    assert diagnose(told) is None


def _object(kind: str, name: str, labels: dict[str, str] | None = None, **rest: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "labels": labels or {}}, **rest}


SET = _object("StatefulSet", "chroma", spec={"replicas": 1})
READY = {"conditions": [{"type": "Ready", "status": "True"}]}
POD = _object("Pod", "chroma-0", {"app": "chroma"}, spec={"nodeName": "n1"}, status=READY)
LEAVING = POD | {"metadata": POD["metadata"] | {"deletionTimestamp": "now"}}
SICK = POD | {"status": {}}
SERVICE = _object("Service", "chromadb-svc", spec={"selector": {"app": "chromadb"}})
SERVED = {"kubernetes.io/service-name": "chromadb-svc"}
SLICE = _object("EndpointSlice", "a", SERVED, endpoints=[{"conditions": {"ready": True}}])
OTHER_SLICE = SLICE | {"metadata": {"name": "b", "labels": {"kubernetes.io/service-name": "other"}}}
EMPTY_SLICE = SLICE | {"endpoints": None}
INGRESS = _object("Ingress", "chroma-ingress")


@pytest.mark.parametrize(
    ("objects", "seen"),
    [
        ([SET, POD, SERVICE, SLICE, INGRESS], []),
        ([SERVICE], []),
        ([SET, SERVICE, INGRESS], [(Trouble.POD, "there is none, and the StatefulSet wants 1")]),
        ([SET, SICK, SERVICE, INGRESS], [(Trouble.POD, "pod chroma-0: scheduled")]),
        (
            [SET, LEAVING, SERVICE, EMPTY_SLICE, INGRESS],
            [(Trouble.POD, "there is none, and the StatefulSet wants 1")],
        ),
        (
            [SET, POD, SERVICE, EMPTY_SLICE, OTHER_SLICE, INGRESS],
            [(Trouble.SERVICE, "Service chromadb-svc: its selector is {'app': 'chromadb'}")],
        ),
        ([SET, POD, INGRESS], [(Trouble.SERVICE, "Service chromadb-svc: it is not there")]),
        ([SET, POD, SERVICE, SLICE], [(Trouble.HOST, "Ingress chroma-ingress is not there")]),
    ],
)
def test_objects_show_where_the_way_ends(objects: list[Any], seen: list[tuple[Trouble, str]]) -> None:
    assert [(one.kind, one.detail) for one in of_objects(objects)] == seen


def test_where_nothing_answers_the_objects_know_why() -> None:
    silence = f"{HEARTBEAT}: 503 no available server"
    found = diagnose(silence, [SET, SERVICE, INGRESS])
    assert found is not None
    assert found.kind is Trouble.POD
    assert diagnose(silence, [SET, POD, SLICE, INGRESS]) == Finding(Trouble.SILENCE, silence)


def test_every_trouble_and_every_cause_has_a_remedy() -> None:
    assert all(map(remedy_of, (*Cause, *Trouble)))
    assert remedy_of(Cause.TOKEN) != remedy_of(Trouble.TOKEN), "the sentence is one, and the remedies are two"


def test_a_refusal_says_what_to_do() -> None:
    assert str(Finding(Cause.CLAIM, "claim x: Lost")).endswith(f"to do: {remedy_of(Cause.CLAIM)}")


@pytest.mark.parametrize(
    ("told", "remedy"),
    [
        (f"{HEARTBEAT}: 503 no available server", remedy_of(Trouble.SILENCE)),
        (f"{HEARTBEAT}: 404 404 page not found", remedy_of(Trouble.HOST)),
        (f"{HEARTBEAT}: 200 nonsense", remedy_of(Cause.NEVER_READY)),
    ],
)
def test_a_ready_pod_that_nobody_reaches_has_a_remedy_of_its_own(told: str, remedy: str) -> None:
    finding = unanswered(NotYet(told))
    assert (finding.kind, finding.remedy) == (Cause.NEVER_READY, remedy)


SILENCE = f"{HEARTBEAT}: 502 Bad Gateway"
DENY = _object("NetworkPolicy", "default-deny", spec={"podSelector": {}, "policyTypes": ["Ingress"]})
LEADING = _object("Service", "chromadb-svc", spec={"ports": [{"port": 80, "targetPort": 8000}]})


class Platform:
    """A cluster whose objects can be listed, of any namespace; of some kinds it tells nothing."""

    def __init__(self, objects: list[Any], forbidden: tuple[str, ...] = ()) -> None:
        self.objects = objects
        self.forbidden = forbidden

    def list(self, kind: str, *_: Any) -> list[Any]:
        if kind in self.forbidden:
            raise ApiError(403, "Forbidden", "may not look")
        return [obj for obj in self.objects if obj["kind"] == kind]

    def get(self, kind: str, name: str, *_: Any) -> Any:
        return next(
            (obj for obj in self.objects if (obj["kind"], obj["metadata"]["name"]) == (kind, name)), None
        )


PUBLISHED = INGRESS | {"status": {"loadBalancer": {"ingress": [{"ip": "10.96.0.80"}]}}}
HOME = _object("Namespace", "edge", {"kubernetes.io/metadata.name": "edge"})
FRONT = _object("Service", "traefik", spec={"clusterIPs": ["10.96.0.80"]})
FRONT["metadata"]["namespace"] = "edge"
THERE = [SET, POD, LEADING, SLICE, PUBLISHED, DENY, HOME, FRONT]


def test_a_policy_that_keeps_the_ingress_out_is_named_in_the_refusal_and_to_who_asks() -> None:
    refusal = inquiry.closer(cast("Any", Platform(THERE)), "chroma", unanswered(NotYet(SILENCE)))
    assert refusal.kind is Cause.NEVER_READY
    assert f"but {Trouble.POLICY}: NetworkPolicy default-deny selects pod chroma-0" in refusal.detail
    assert "kubernetes.io/metadata.name: edge}), to port 8000" in refusal.remedy
    asked = inquiry.look_into(cast("Any", Platform(THERE)), "chroma", SILENCE)
    assert asked
    assert (asked.kind, asked.remedy) == (Trouble.POLICY, refusal.remedy)
    assert refusal.behind == asked, "the failure of a scenario over it says the same"


def test_a_policy_is_named_also_where_the_controller_may_not_be_looked_for() -> None:
    closed = Platform(THERE, forbidden=("Service",))
    with_service = inquiry.look_into(cast("Any", Platform(THERE[:6])), "chroma", SILENCE)
    assert with_service
    assert with_service.kind is Trouble.POLICY
    assert inquiry.controller_of(cast("Any", closed), [PUBLISHED]) is None


def test_a_service_is_blamed_only_where_it_leads_nowhere() -> None:
    there = [SET, POD, SERVICE, EMPTY_SLICE, PUBLISHED]
    refusal = inquiry.closer(cast("Any", Platform(there)), "chroma", unanswered(NotYet(SILENCE)))
    assert (Trouble.SERVICE in refusal.detail, refusal.remedy) == (True, remedy_of(Trouble.SERVICE))
    innocent = [SET, POD, LEADING, SLICE, PUBLISHED]
    silent = inquiry.closer(cast("Any", Platform(innocent)), "chroma", unanswered(NotYet(SILENCE)))
    assert "Service chromadb-svc:" not in silent.detail


STARTED = {"name": "chroma", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
LATE = "Readiness probe failed: Get http://10.1.1.1: context deadline exceeded (Client.Timeout exceeded)"


def _busy(ready: str, message: str = LATE, since: str = "2026-01-01T00:05:00Z") -> list[Any]:
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": since}
    status = {"conditions": [condition], "containerStatuses": [STARTED]}
    pod = POD | {"metadata": POD["metadata"] | {"uid": "u"}, "status": status}
    event = _object("Event", "e", involvedObject={"uid": "u"}, reason="Unhealthy", message=message)
    return [SET, pod, SERVICE, SLICE, INGRESS, event]


@pytest.mark.parametrize("ready", ["False", "True"])
def test_a_release_that_is_merely_busy_is_told_as_that(ready: str) -> None:
    found = diagnose(f"{HEARTBEAT}: 503 no available server", _busy(ready))
    assert found
    assert found.kind is Trouble.BUSY


def test_a_release_that_does_not_start_or_is_asked_wrongly_is_not_called_busy() -> None:
    told = f"{HEARTBEAT}: 503 no available server"
    for objects in (
        _busy("False", since="2026-01-01T00:00:00Z"),
        _busy("False", "Readiness probe failed: HTTP probe failed with statuscode: 401"),
        _busy("False", "Readiness probe failed: connection refused"),
    ):
        found = diagnose(told, objects)
        assert found
        assert found.kind is Trouble.POD


def test_nodes_that_took_no_pod_are_named() -> None:
    nodes = [
        _object("Node", "n1", spec={"unschedulable": True}),
        _object("Node", "n2", spec={"taints": [{"key": "gpu", "effect": "NoSchedule"}]}),
        _object("Node", "n3", spec={}),
    ]
    told = inquiry.closer(cast("Any", Platform(nodes)), "chroma", Finding(Cause.UNSCHEDULABLE, "no"))
    assert told.detail == "no (node n1 is cordoned; node n2 is tainted with gpu=:NoSchedule)"
    hidden = Platform(nodes, forbidden=("Node",))
    assert inquiry.closer(cast("Any", hidden), "chroma", Finding(Cause.UNSCHEDULABLE, "no")).detail == "no"
