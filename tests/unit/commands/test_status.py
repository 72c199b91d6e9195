"""A status is told to people and to programs as it is, and its exit code says whether the release is live."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, cast

import pytest
from pydantic import SecretStr

from support.commands import follow
from support.commands.status import render_text
from support.deploy import status, token_seen, vitals
from support.deploy.liveness import NotYet
from support.deploy.precheck import Situation
from support.deploy.results import NotLive
from support.deploy.status import Announcement, ClaimState, Collection, Pod, StatefulSet, Status
from support.deploy.vitals import Amount, Moment, Vitals
from support.kube.errors import ApiError
from support.kube.labels import OWNED
from support.network.http import Response
from support.release.catalogue import load

if TYPE_CHECKING:
    from support.commands.call import Call
    from support.deploy.namespace import Namespace

LIVE = Status(
    namespace="chroma",
    release="gateway",
    title="Chroma behind a gateway",
    live=True,
    why="",
    remedy="",
    heartbeat=17,
    statefulset=StatefulSet("chroma", 1, 1, settled=True),
    pods=(Pod("chroma-0", "ready", ready=True, restarts=2, node="n1"),),
    claims=(ClaimState("chroma-data-pvc", "Bound", "10Gi", "k8s-hostpath"),),
    endpoints={"users": "https://chroma.example.com"},
    announcement=Announcement("safe", "healthy"),
    collections=(
        Collection("default_database", "field-notes", 3, {"topic": "ferns"}),
        Collection("default_database", "torn", None, None),
    ),
    unread="",
    proved=True,
)


def test_people_are_told_all_of_it() -> None:
    assert render_text(LIVE, "text").splitlines() == [
        'release "gateway" (Chroma behind a gateway) in chroma: live',
        "heartbeat    17 ns",
        "StatefulSet  chroma: 1 of 1 ready",
        "pod          chroma-0: ready, 2 restarts, on n1",
        "claim        chroma-data-pvc: Bound, 10Gi, class k8s-hostpath",
        "endpoint     https://chroma.example.com (users)",
        "discovery    form: safe; for the platform it is healthy",
        'collection   default_database/field-notes: 3 records, metadata: {"topic": "ferns"}',
        "collection   default_database/torn: an unknown number of records, metadata: none",
    ]


def test_programs_are_told_the_same() -> None:
    read = json.loads(render_text(LIVE, "json"))
    assert read == json.loads(json.dumps(dataclasses.asdict(LIVE)))
    assert read["collections"][0]["metadata"] == {"topic": "ferns"}


def test_the_exit_code_says_whether_it_is_live() -> None:
    assert LIVE.exit_code == 0
    ill = dataclasses.replace(LIVE, live=False, why="its pod is not ready")
    assert ill.exit_code == 1
    first, *_ = render_text(ill, "text").splitlines()
    assert first.endswith("in chroma: not live: its pod is not ready")


def test_a_cluster_that_does_not_let_us_look_is_told_and_nothing_is_live() -> None:
    class Closed:
        name = "chroma"

        @property
        def kube(self) -> Any:
            raise ApiError(403, "Forbidden", "you may not look")

    seen = status.observe(cast("Namespace", Closed()))
    assert seen.exit_code == 1
    assert "you may not look" in seen.why
    assert "no release in chroma: not live" in render_text(seen, "text")


@pytest.mark.parametrize("count", [0, 99, 100, 101, 250])
def test_every_collection_is_listed_however_many_there_are(count: int) -> None:
    held = [{"name": f"c{number}"} for number in range(count)]

    def ask(path: str) -> Response:
        limit, offset = (int(part.split("=")[1]) for part in path.partition("?")[2].split("&"))
        return Response(path, 200, (), json.dumps(held[offset : offset + limit]).encode())

    assert list(status._pages(ask, "/collections")) == held


def test_a_version_that_lists_no_databases_has_its_default_one() -> None:
    assert status._databases(lambda path: Response(path, 405, (), b"")) == ["default_database"]
    several = json.dumps([{"name": "one"}, {"name": "two"}]).encode()
    assert status._databases(lambda path: Response(path, 200, (), several)) == ["one", "two"]


@pytest.mark.parametrize("why", ["its pod is not ready", 'release "old" is not live: GET /x: 502'])
def test_the_reason_is_handed_over_whatever_its_words(why: str) -> None:
    class Ill:
        name, kube = "chroma", None

        def prove_live(self) -> None:
            raise NotLive(why, load("gateway"))

    deployed = Situation({"metadata": {"name": "chroma", "labels": OWNED}})
    found = status._why_not_live(cast("Namespace", Ill()), deployed)
    assert found
    assert found.why == why


VITALS = Vitals(
    images={"chroma": "registry/chroma:1.5.9"},
    memory=Amount(87 * 2**20, 2**31, source="the cluster's metrics"),
    claim=Amount(unknown="there is no pod"),
    certificate=Moment("2027-01-01T00:00:00+00:00"),
    backup=Moment(),
    since=Moment("2026-01-01T00:00:00Z"),
)


def test_what_it_takes_is_told_and_what_is_unknown_with_its_reason() -> None:
    lines = render_text(dataclasses.replace(LIVE, vitals=VITALS), "text").splitlines()
    assert [
        line for line in lines if line.startswith(("live", "image", "memory", "disk", "cert", "backup"))
    ] == [
        "live since   2026-01-01T00:00:00Z",
        "image        chroma: registry/chroma:1.5.9",
        "memory       87 MiB of 2 GiB (the cluster's metrics)",
        "disk         unknown: there is no pod",
        "certificate  ends 2027-01-01T00:00:00+00:00",
        "backup       never",
    ]


@pytest.mark.parametrize(
    ("age", "told"),
    [
        (timedelta(minutes=4, seconds=20), "4 minutes"),
        (timedelta(hours=3), "3 hours"),
        (timedelta(days=40), "40 days"),
    ],
)
def test_the_age_of_a_backup_is_told(age: timedelta, told: str) -> None:
    made = (datetime.now(UTC) - age).isoformat(timespec="seconds")
    seen = dataclasses.replace(LIVE, vitals=dataclasses.replace(VITALS, backup=Moment(made)))
    assert f"backup       {told} ago ({made})" in render_text(seen, "text")


@pytest.mark.parametrize(
    ("told", "memory", "disk"),
    [
        ("memory 17\ndisk 5 7\n", 17, (5, 7)),
        ("disk 5 7", None, (5, 7)),
        ("memory 17\ndisk\n", 17, None),
        ("cat: no such file", None, None),
    ],
)
def test_figures_are_read_as_far_as_they_are_there(
    told: str, memory: int | None, disk: tuple[int, int] | None
) -> None:
    read = vitals._figures(told)
    assert (read.memory, read.disk) == (memory, disk)
    assert ("memory" in read.why, "disk" in read.why) == (memory is None, disk is None)


def test_a_token_that_is_refused_leaves_the_release_alive_and_the_exit_code_1() -> None:
    seen = dataclasses.replace(LIVE, token="refused")
    assert (seen.live, seen.exit_code) == (True, 1)
    assert render_text(seen, "text").splitlines()[0].endswith(": live; it refuses the token that you gave")
    unproved = dataclasses.replace(seen, proved=False)
    assert "live, as far as can be seen without a token; it refuses" in render_text(unproved, "text")


@pytest.mark.parametrize(
    ("recorded", "heart_fails", "lives"), [(401, False, True), (200, False, False), (403, True, False)]
)
def test_a_release_that_refuses_its_own_token_lives_while_its_heartbeat_advances(
    monkeypatch: pytest.MonkeyPatch, recorded: int, heart_fails: bool, lives: bool
) -> None:
    class Heart:
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def heartbeat_advances(self) -> bool:
            if heart_fails:
                raise NotYet("its heartbeat stands still")
            return True

        def rejects_anonymous(self) -> bool:
            return True

    class Shut:
        name, host, inventory = "chroma", "chroma.example.com", None

        def recalled(self) -> Any:
            return SimpleNamespace(token=SecretStr("stale"))

        def health_check(self, _: object) -> Heart:
            return Heart()

    monkeypatch.setattr(token_seen, "ingress", lambda *_: None)
    monkeypatch.setattr("support.network.http.ask", lambda *_: Response("GET /", recorded, (), b""))
    assert token_seen.lives_behind(cast("Namespace", Shut())) is lives


def test_a_watch_tells_a_change_and_nothing_twice() -> None:
    told: list[str] = []
    teller = follow._Teller(cast("Call", SimpleNamespace(say=told.append)), whole=False)
    teller.tell(LIVE)
    teller.tell(dataclasses.replace(LIVE, heartbeat=18))
    assert len(told) == 1
    assert told[0].endswith("in chroma: live")
    assert teller.exit_code == 0
    teller.tell(dataclasses.replace(LIVE, live=False, why="its pod is not ready"))
    assert told[1].endswith("in chroma: not live: its pod is not ready")
    teller.lost(ApiError(0, "Unanswered", "it does not answer in time"))
    assert told[2].endswith("the cluster does not answer: it does not answer in time")
    assert teller.exit_code == 1


FIGURES = vitals._Figures


@pytest.mark.parametrize(
    ("measured", "read", "amount"),
    [
        (FIGURES(memory=5), FIGURES(memory=7), Amount(5, 9, source="the cluster's metrics")),
        (
            FIGURES(),
            FIGURES(memory=7),
            Amount(7, 9, source="read in Chroma's container; the cluster has no metrics of it"),
        ),
        (
            FIGURES(why="the metrics are not to be had: Forbidden"),
            FIGURES(memory=7),
            Amount(7, 9, source="read in Chroma's container; the metrics are not to be had: Forbidden"),
        ),
        (
            FIGURES(),
            FIGURES(why="nothing can be run in it"),
            Amount(None, 9, "the cluster has no metrics of it; nothing can be run in it"),
        ),
    ],
)
def test_memory_is_told_with_its_source(measured: Any, read: Any, amount: Amount) -> None:
    assert vitals._memory(measured, read, 9) == amount


def metrics(memory: str) -> dict[str, Any]:
    """Return what the metrics API of Kubernetes says of a pod (metrics.k8s.io/v1beta1)."""
    usage = {"name": "chroma", "timestamp": "…", "window": "15s", "usage": {"cpu": "1m", "memory": memory}}
    return {"kind": "PodMetrics", "containers": [{"name": "gateway", "usage": {"memory": "9Mi"}}, usage]}


@pytest.mark.parametrize(
    ("answer", "memory", "why"),
    [
        (metrics("91136Ki"), 91136 * 1024, ""),
        (None, None, ""),
        (metrics("lots"), None, "the metrics are not understood"),
        (
            ApiError(503, "ServiceUnavailable", "no metrics server"),
            None,
            "the metrics are not to be had: no metrics server",
        ),
    ],
    ids=["measured", "none", "nonsense", "no answer"],
)
def test_what_the_metrics_say_is_understood(answer: Any, memory: int | None, why: str) -> None:
    def get(*_: str) -> Any:
        if isinstance(answer, ApiError):
            raise answer
        return answer

    namespace = SimpleNamespace(kube=SimpleNamespace(get=get), name="chroma")
    seen = vitals._measured(cast("Namespace", namespace), {"kind": "Pod"})
    assert (seen.memory, seen.why) == (memory, why)
