"""The trouble of who uses a release is named from what they were told and from what the cluster shows."""

from __future__ import annotations

from typing import Any

import pytest

from support.causes import REMEDIES as REMEDIES_OF_CAUSES
from support.causes import Cause, Finding
from support.liveness import NotYet
from support.rollout import unanswered
from support.troubles import REMEDIES, Diagnosis, Trouble, diagnose, of_objects

HEARTBEAT = "GET /api/v2/heartbeat through the ingress"


@pytest.mark.parametrize(
    ("told", "trouble"),
    [
        (f'{HEARTBEAT}: 401 {{"error":"AuthError","message":"Unauthorized"}}', Trouble.TOKEN),
        (f"was let in (and 2 more): {HEARTBEAT}: 200 []\n  x", Trouble.OPEN),
        (f"was let in, not refused with 401: {HEARTBEAT}: 503 no available server", Trouble.SILENCE),
        ("was let in, not refused with 401: GET /x through the pod: 404 ", Trouble.OPEN),
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
    ],
)
def test_an_answer_tells_its_trouble(told: str, trouble: Trouble) -> None:
    assert diagnose(told) == Diagnosis(trouble, told)


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
    assert [(one.trouble, one.seen) for one in of_objects(objects)] == seen


def test_where_nothing_answers_the_objects_know_why() -> None:
    silence = f"{HEARTBEAT}: 503 no available server"
    found = diagnose(silence, [SET, SERVICE, INGRESS])
    assert found is not None
    assert found.trouble is Trouble.POD
    assert diagnose(silence, [SET, POD, SLICE, INGRESS]) == Diagnosis(Trouble.SILENCE, silence)


def test_every_trouble_and_every_cause_has_a_remedy() -> None:
    assert REMEDIES.keys() == set(Trouble)
    assert REMEDIES_OF_CAUSES.keys() == set(Cause)


def test_a_refusal_says_what_to_do() -> None:
    assert str(Finding(Cause.CLAIM, "claim x: Lost")).endswith(f"to do: {REMEDIES_OF_CAUSES[Cause.CLAIM]}")


@pytest.mark.parametrize(
    ("told", "remedy"),
    [
        (f"{HEARTBEAT}: 503 no available server", REMEDIES[Trouble.SERVICE]),
        (f"{HEARTBEAT}: 404 404 page not found", REMEDIES[Trouble.HOST]),
        (f"{HEARTBEAT}: 200 nonsense", REMEDIES_OF_CAUSES[Cause.NEVER_READY]),
    ],
)
def test_a_ready_pod_that_nobody_reaches_has_a_remedy_of_its_own(told: str, remedy: str) -> None:
    finding = unanswered(NotYet(told))
    assert (finding.cause, finding.remedy) == (Cause.NEVER_READY, remedy)
