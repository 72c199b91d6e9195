"""The trouble of who uses a release is named from what they were told and from what the cluster shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from support.core.symptoms import Symptom, symptom_of
from support.deploy.liveness import NotYet
from support.deploy.rollout import unanswered
from support.diagnosis import inquiry
from support.diagnosis.findings import Cause, Finding, Trouble, remedy_of
from support.diagnosis.troubles import diagnose, of_objects
from support.kube.errors import ApiError
from support.network.http import Response


def answered(status: int, body: str, way: str = "ingress", *, let_in: bool = False) -> Symptom:
    """Return what an answer says to a diagnosis; its words are anybody's."""
    response = Response("GET /api/v2/heartbeat", status, (), body.encode(), way)
    return replace(response.symptom, let_in=let_in)


def failed(kind: str, words: str, way: str = "") -> Symptom:
    """Return what an error says to a diagnosis."""
    return Symptom(words, way, error=kind)


@pytest.mark.parametrize(
    ("seen", "trouble"),
    [
        (answered(401, '{"error":"AuthError","message":"Unauthorized"}'), Trouble.TOKEN),
        (answered(200, "[]", let_in=True), Trouble.INSECURE),
        (answered(422, '{"error":"ChromaError","message":"missing field"}', let_in=True), Trouble.INSECURE),
        (answered(503, "no available server", let_in=True), Trouble.SILENCE),
        (answered(404, "", "pod", let_in=True), Trouble.INSECURE),
        (answered(404, "404 page not found", let_in=True), Trouble.HOST),
        (answered(403, '{"error":"Forbidden"}'), Trouble.TOKEN),
        (failed("ChromaAuthError", '{"error":"AuthError","message":"Unauthorized"}'), Trouble.TOKEN),
        (answered(413, "Request Entity Too Large"), Trouble.BODY),
        (answered(413, '{"error":"PayloadTooLarge"}', "service"), Trouble.BODY),
        (failed("NotFoundError", "Collection [feld-notes] does not exist"), Trouble.COLLECTION),
        (
            failed("InvalidCollectionException", "Collection feld-notes does not exist."),
            Trouble.COLLECTION,
        ),
        (
            failed("InvalidArgumentError", "Collection expecting embedding with dimension of 16, got 2"),
            Trouble.DIMENSION,
        ),
        (
            failed(
                "InvalidDimensionException",
                "Embedding dimension 2 does not match collection dimensionality 16",
            ),
            Trouble.DIMENSION,
        ),
        (
            failed("InternalError", "Error in compaction: Failed to apply logs to the hnsw segment writer"),
            Trouble.FULL,
        ),
        (answered(500, '{"message":"(code: 13) database or disk is full"}'), Trouble.FULL),
        (failed("SSLCertVerificationError", "[SSL: CERTIFICATE_VERIFY_FAILED]"), Trouble.CERTIFICATE),
        (answered(404, "404 page not found"), Trouble.HOST),
        (answered(503, "no available server"), Trouble.SILENCE),
        (failed("ConnectionRefusedError", "[Errno 111] Connection refused", "ingress"), Trouble.SILENCE),
        (
            failed("RemoteProtocolError", "Server disconnected without sending a response."),
            Trouble.SILENCE,
        ),
        (failed("RemoteDisconnected", "Remote end closed connection without response"), Trouble.SILENCE),
        (failed("Nameless", "chroma.example.com has none"), Trouble.NAMELESS),
    ],
)
def test_what_a_caller_saw_tells_its_trouble(seen: Symptom, trouble: Trouble) -> None:
    assert diagnose(seen) == Finding(trouble, seen.words)


@pytest.mark.parametrize(
    "seen",
    [
        answered(200, '{"nanosecond heartbeat":401}'),
        answered(404, '{"error":"x"}'),
        answered(400, '{"error":"BadRequest"}', let_in=True),
        Symptom("3 records"),
        Symptom("was let in: GET /x through the ingress: 200 []"),
    ],
)
def test_what_is_no_trouble_is_not_taken_for_one(seen: Symptom) -> None:
    assert diagnose(seen) is None


def test_a_symptom_is_read_where_it_was_seen() -> None:
    silence = answered(502, "Bad Gateway")
    assert symptom_of(NotYet("any words", symptom=silence)) == silence
    assert symptom_of(ValueError("x")) == Symptom("x", error="ValueError")


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
    silence = answered(503, "no available server")
    found = diagnose(silence, [SET, SERVICE, INGRESS])
    assert found is not None
    assert found.kind is Trouble.POD
    assert diagnose(silence, [SET, POD, SLICE, INGRESS]) == Finding(Trouble.SILENCE, silence.words)


def test_every_trouble_and_every_cause_has_a_remedy() -> None:
    assert all(map(remedy_of, (*Cause, *Trouble)))
    assert remedy_of(Cause.TOKEN) != remedy_of(Trouble.TOKEN), "the sentence is one, and the remedies are two"


def test_a_refusal_says_what_to_do() -> None:
    assert str(Finding(Cause.CLAIM, "claim x: Lost")).endswith(f"to do: {remedy_of(Cause.CLAIM)}")


@pytest.mark.parametrize(
    ("seen", "remedy"),
    [
        (answered(503, "no available server"), remedy_of(Trouble.SILENCE)),
        (answered(404, "404 page not found"), remedy_of(Trouble.HOST)),
        (answered(200, "nonsense"), remedy_of(Cause.NEVER_READY)),
    ],
)
def test_a_ready_pod_that_nobody_reaches_has_a_remedy_of_its_own(seen: Symptom, remedy: str) -> None:
    finding = unanswered(NotYet(seen.words, symptom=seen))
    assert (finding.kind, finding.remedy) == (Cause.NEVER_READY, remedy)


SILENCE = answered(502, "Bad Gateway")
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
    refusal = inquiry.closer(
        cast("Any", Platform(THERE)), "chroma", unanswered(NotYet(SILENCE.words, symptom=SILENCE))
    )
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
    refusal = inquiry.closer(
        cast("Any", Platform(there)), "chroma", unanswered(NotYet(SILENCE.words, symptom=SILENCE))
    )
    assert (Trouble.SERVICE in refusal.detail, refusal.remedy) == (True, remedy_of(Trouble.SERVICE))
    innocent = [SET, POD, LEADING, SLICE, PUBLISHED]
    silent = inquiry.closer(
        cast("Any", Platform(innocent)), "chroma", unanswered(NotYet(SILENCE.words, symptom=SILENCE))
    )
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
    found = diagnose(answered(503, "no available server"), _busy(ready))
    assert found
    assert found.kind is Trouble.BUSY


def test_a_release_that_does_not_start_or_is_asked_wrongly_is_not_called_busy() -> None:
    seen = answered(503, "no available server")
    for objects in (
        _busy("False", since="2026-01-01T00:00:00Z"),
        _busy("False", "Readiness probe failed: HTTP probe failed with statuscode: 401"),
        _busy("False", "Readiness probe failed: connection refused"),
    ):
        found = diagnose(seen, objects)
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
