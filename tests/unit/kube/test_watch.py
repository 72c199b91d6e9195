"""A watch shows what is there also where its stream is silent, cut, refused or garbled, and says when nobody answers."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from support.core.wait import Deadlines, wait_for
from support.kube import watch as watching
from support.kube.errors import ApiError
from support.kube.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

Object = dict[str, Any]


def pod(name: str, version: int, **rest: Any) -> Object:
    return {"kind": "Pod", "metadata": {"name": name, "resourceVersion": str(version)}, **rest}


class Stream:
    """An open answer: gives its chunks, and then is silent until it is ended, or breaks off."""

    def __init__(self, *chunks: bytes, breaks: bool = False) -> None:
        self.chunks = chunks
        self.breaks = breaks
        self.ended = threading.Event()

    def stream(self, amt: int | None = None) -> Iterator[bytes]:
        del amt
        yield from self.chunks
        if self.breaks:
            raise ConnectionResetError("cut off")
        self.ended.wait()

    def shutdown(self) -> None:
        self.ended.set()

    close = shutdown


class Cluster:
    """An API server whose lists are true; what its watches say is another matter."""

    def __init__(self, *streams: Stream | ApiError) -> None:
        self.pods: list[Object] = []
        self.version = 1
        self.streams = list(streams)
        self.failing: ApiError | None = None

    def listing(self, _kind: str, _namespace: str) -> tuple[list[Object], str]:
        if self.failing:
            raise self.failing
        return list(self.pods), str(self.version)

    def changes(self, *_: str) -> Stream:
        stream = self.streams.pop(0) if self.streams else Stream()
        if isinstance(stream, ApiError):
            raise stream
        return stream

    def make(self, name: str) -> None:
        self.version += 1
        self.pods.append(pod(name, self.version))


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_SILENCE", 0.1)
    monkeypatch.setattr(watching, "_PAUSE", 0.01)
    monkeypatch.setattr("support.core.wait._in_force", Deadlines(outage=0.3))


def see(cluster: Cluster, name: str) -> None:
    """Assert that a watch shows a pod which is made after it has begun."""
    with Watch(cluster, ["Pod"], "x") as watch:  # type: ignore[arg-type]  # a stand-in
        cluster.make(name)
        wait_for(lambda: ("Pod", name) in watch.latest(), 5, lambda: f"pod {name} is not seen")


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(Stream(), id="silent"),
        pytest.param(Stream(breaks=True), id="cut off"),
        pytest.param(Stream(b'{"type": "ADDED"}\n', breaks=True), id="a half answer"),
        pytest.param(Stream(b"<html>\n", breaks=True), id="garbled"),
        pytest.param(Stream(b'{"type": "ERROR", "object": {"code": 410}}\n'), id="too old"),
        pytest.param(ApiError(403, "Forbidden", "may not watch"), id="forbidden"),
        pytest.param(ApiError(429, "TooManyRequests", "slow down"), id="busy"),
        pytest.param(ApiError(500, "InternalError", "etcd"), id="troubled"),
        pytest.param(ApiError(0, "Unanswered", "Connection refused"), id="away for a moment"),
    ],
)
def test_what_is_there_is_seen_whatever_the_watch_says(stream: Stream | ApiError) -> None:
    see(Cluster(stream), "late")


def test_a_watch_that_is_never_allowed_is_made_up_for_by_lists() -> None:
    see(Cluster(*[ApiError(403, "Forbidden", "may not watch")] * 500), "late")


def test_an_api_server_that_stays_away_is_told() -> None:
    cluster = Cluster(Stream(breaks=True))
    with Watch(cluster, ["Pod"], "x") as watch:  # type: ignore[arg-type]  # a stand-in
        cluster.failing = ApiError(0, "Unanswered", "Connection refused")
        with pytest.raises(ApiError, match="Connection refused"):
            wait_for(lambda: watch.wait(0.1) and False, 5, lambda: "nothing is told")


def test_what_cannot_heal_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.core.wait._in_force", Deadlines(outage=3600))
    cluster = Cluster(Stream(breaks=True))
    with Watch(cluster, ["Pod"], "x") as watch:  # type: ignore[arg-type]  # a stand-in
        cluster.failing = ApiError(401, "Unauthorized", "who are you")
        with pytest.raises(ApiError, match="who are you"):
            wait_for(lambda: watch.wait(0.1) and False, 5, lambda: "nothing is told")


def test_a_change_that_comes_late_does_not_undo_what_was_listed() -> None:
    stale = json.dumps({"type": "MODIFIED", "object": pod("one", 2, state="old")}).encode() + b"\n"
    cluster = Cluster(Stream(stale))
    cluster.pods, cluster.version = [pod("one", 7, state="new")], 7
    with Watch(cluster, ["Pod"], "x") as watch:  # type: ignore[arg-type]  # a stand-in
        watch.refresh()
        assert watch.latest()["Pod", "one"]["state"] == "new"


def test_what_is_gone_is_seen_to_be_gone() -> None:
    cluster = Cluster(Stream())
    cluster.make("one")
    with Watch(cluster, ["Pod"], "x") as watch:  # type: ignore[arg-type]  # a stand-in
        cluster.pods, cluster.version = [], 9
        wait_for(lambda: not watch.latest(), 5, lambda: "pod one is still shown")
