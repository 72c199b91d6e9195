"""A status is told to people and to programs as it is, and its exit code says whether the release is live."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from support.commands.status import render_text
from support.deploy import status
from support.deploy.results import NotLive
from support.deploy.status import Announcement, ClaimState, Collection, Pod, StatefulSet, Status
from support.kube.errors import ApiError
from support.network.http import Response
from support.release.catalogue import load

if TYPE_CHECKING:
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
def test_the_reason_is_handed_over_whatever_its_words(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    class Ill:
        name, kube = "chroma", None

        def prove_live(self) -> None:
            raise NotLive(why, load("gateway"))

    monkeypatch.setattr("support.deploy.removal.owned", lambda *_: [{}])
    found = status._why_not_live(cast("Namespace", Ill()))
    assert found
    assert found.why == why
