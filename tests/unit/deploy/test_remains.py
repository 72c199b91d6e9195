"""What is a dead run's in a release is known by its name or its age, and nothing else is taken for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.chroma.holdings import PROBE_PREFIX
from support.deploy import remains
from support.deploy.liveness import made_at
from support.deploy.remains import Remains
from support.network.http import Response

NOW = 1_800_000_000_000_000_000  # nanoseconds
OLD, NEW = NOW - 400 * 10**9, NOW - 10 * 10**9


class Release:
    """Answers as a release does that holds some databases and collections."""

    def __init__(self, held: dict[str, list[str]], *, lists: bool = True) -> None:
        self.held = held
        self.lists = lists

    def ask(self, _way: Any, method: str, path: str, _headers: Any) -> Response:
        status, body = self.answer(method, path.partition("?")[0].removeprefix("/api/v2/"))
        return Response(f"{method} {path}", status, (), json.dumps(body).encode())

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        if path == "heartbeat":
            return 200, {"nanosecond heartbeat": NOW}
        parts = path.split("/")[3:]  # below tenants/T/databases
        match method, parts:
            case "GET", []:
                return (200, [{"name": name} for name in self.held]) if self.lists else (405, {})
            case "GET", [name, "collections"] if name in self.held:
                return 200, [{"name": one} for one in self.held[name]]
            case "DELETE", [name]:
                return (200, {}) if self.held.pop(name, None) == [] else (500, {})
            case "DELETE", [name, "collections", one]:
                self.held[name].remove(one)
                return 200, {}
        return 404, {}


def looking(monkeypatch: pytest.MonkeyPatch, release: Release) -> Remains:
    class Kube:
        def get(self, *_: str) -> None:
            return None

    monkeypatch.setattr("support.network.http.ask", release.ask)
    monkeypatch.setattr(remains, "ingress", lambda *_: None)
    kube, inventory = Kube(), type("Inventory", (), {"domain_name": "example.com"})
    return Remains.of_release("chroma", kube, inventory)  # type: ignore[arg-type]  # a stand-in


def test_what_may_be_a_dead_runs_is_found_and_nothing_of_users(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {
        "default_database": [
            f"{PROBE_PREFIX}{OLD:x}-aabbccdd",
            f"{PROBE_PREFIX}{NEW:x}-aabbccdd",
            "chroma-conformance-example",
            "notes",
        ],
        "conformance-0a0a0a0a-1b1b1b1b": ["field-notes"],
        "conformance-of-my-own": ["field-notes"],
        "conformance": ["field-notes"],
        "users": [f"{PROBE_PREFIX}{OLD:x}-aabbccdd"],
    }
    found = looking(monkeypatch, Release(held)).look()
    assert {(str(one), one.run_id, one.is_old) for one in found} == {
        ("database conformance-0a0a0a0a-1b1b1b1b", "0a0a0a0a", False),
        (f"collection default_database/{PROBE_PREFIX}{OLD:x}-aabbccdd", "", True),
        (f"collection default_database/{PROBE_PREFIX}{NEW:x}-aabbccdd", "", False),
        ("collection default_database/chroma-conformance-example", "", False),
        ("collection conformance/field-notes", "", False),
    }


def test_a_database_goes_with_its_collections(monkeypatch: pytest.MonkeyPatch) -> None:
    release = Release({"default_database": [], "conformance-0a0a0a0a-1b1b1b1b": ["a", "b"]})
    looked = looking(monkeypatch, release)
    (found,) = looked.look()
    assert looked.remove(found)
    assert release.held == {"default_database": []}


def test_a_version_that_lists_no_databases_has_the_shared_one(monkeypatch: pytest.MonkeyPatch) -> None:
    release = Release({"default_database": [], "conformance": ["field-notes"]}, lists=False)
    looked = looking(monkeypatch, release)
    (found,) = looked.look()
    assert looked.remove(found)
    assert release.held["conformance"] == []


def test_a_release_that_does_not_answer_is_told_and_nothing_is_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = looking(monkeypatch, Release({}))
    monkeypatch.setattr("support.network.http.ask", lambda *_: Response("GET /", 503, (), b"[]"))
    assert looked.look() == []
    assert looked.unknown


@pytest.mark.parametrize(
    ("name", "made"),
    [
        (f"{PROBE_PREFIX}{NOW:x}-aabbccdd", NOW),
        (f"{PROBE_PREFIX}aabbccdd", 0),  # of a suite before names told their age
        (f"{PROBE_PREFIX}notes", None),
        ("notes", None),
    ],
)
def test_the_age_of_what_proves_a_release_is_in_its_name(name: str, made: int | None) -> None:
    assert made_at(name) == made
