"""What is a dead run's in a release is known by its name or its age, and nothing else is taken for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr

from support.chroma import naming
from support.chroma.holdings import PROBE_PREFIX
from support.chroma.reachable import Credential
from support.deploy import remains
from support.deploy.liveness import made_at
from support.deploy.remains import Remains
from support.deploy.sweep import Swept, sweep_databases
from support.network.http import Response
from support.network.way import Way, tls_context

NOW = 1_800_000_000_000_000_000  # nanoseconds
OLD, NEW = NOW - 400 * 10**9, NOW - 10 * 10**9


class Release:
    """Answers as a release does that holds some databases and collections."""

    def __init__(self, held: dict[str, list[str]], *, lists: bool = True, listing: int = 200) -> None:
        self.held = held
        self.owners: dict[str, str] = {}  # of marks
        self.listing = listing if lists else 405

    def ask(self, _way: Any, method: str, path: str, _headers: Any) -> Response:
        status, body = self.answer(method, path.partition("?")[0].removeprefix("/api/v2/"))
        return Response(f"{method} {path}", status, (), json.dumps(body).encode())

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        if path == "heartbeat":
            return 200, {"nanosecond heartbeat": NOW}
        parts = path.split("/")[3:]  # below tenants/T/databases
        match method, parts:
            case "GET", []:
                return self.listing, [{"name": name} for name in self.held] if self.listing == 200 else {}
            case "GET", [name, "collections"] if name in self.held:
                return 200, [
                    {
                        "name": one,
                        "metadata": {naming.OWNER: self.owners[one]} if one in self.owners else None,
                    }
                    for one in self.held[name]
                ]
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


def left_at(monkeypatch: pytest.MonkeyPatch, release: Release) -> Swept:
    """Return what is removed at an address that answers as this."""
    monkeypatch.setattr("support.network.http.ask", release.ask)
    way, swept = Way("endpoint", "http://localhost:8000", tls_context(None)), Swept()
    sweep_databases(Remains("http://localhost:8000", way, Credential(SecretStr(""))), swept)
    return swept


def elsewhere(monkeypatch: pytest.MonkeyPatch, age: float) -> str:
    """Return the name of a database that another machine has made so many seconds ago."""
    with monkeypatch.context() as patched:
        patched.setattr(naming, "machine", lambda: {"boot": "another", "processes": "pid:[1]"})
        return naming.name_of("0a0a0a0a", NOW / 1e9 - age)


def test_at_an_address_only_what_tells_that_it_is_a_dead_runs_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    old, young = (elsewhere(monkeypatch, age) for age in (naming.OLD + 60, naming.OLD - 60))
    here = naming.name_of("0b0b0b0b", NOW / 1e9 - 10 * naming.OLD)  # this very process lives
    kept = {
        young: ["field-notes"],
        here: ["field-notes"],
        f"{old}-copy": ["notes"],
        "conformance": ["notes"],
        "conformance-0a0a0a0a-1b1b1b1b": ["notes"],  # names of earlier versions tell no age
        "default_database": [f"{PROBE_PREFIX}{OLD:x}-aabbccdd", "chroma-conformance-example"],
    }
    release = Release({**kept, old: ["field-notes"]})
    swept = left_at(monkeypatch, release)
    assert release.held == kept
    assert (swept.removed, swept.left) == ([f"database {old} of http://localhost:8000"], [])


@pytest.mark.parametrize(
    ("ages", "goes"),
    [
        ((naming.OLD + 60,), True),
        ((naming.OLD + 60, naming.OLD + 90), True),
        ((naming.OLD - 60,), False),
        ((naming.OLD + 60, naming.OLD - 60), False),  # one of two may live, and nothing says what is whose
        ((), False),
    ],
)
def test_what_runs_share_goes_only_where_all_that_used_it_are_dead(
    monkeypatch: pytest.MonkeyPatch, ages: tuple[float, ...], goes: bool
) -> None:
    owners = {f"mark-{number}": elsewhere(monkeypatch, age) for number, age in enumerate(ages)}
    users = {"conformance": ["notes"], "default_database": ["notes"]}
    shared = {naming.SHARED: ["field-notes"], naming.MARKS: [*owners]}
    release = Release({**users, **{name: [*held] for name, held in shared.items()}}, lists=False)
    release.owners = owners
    assert not left_at(monkeypatch, release).left
    assert release.held == {**users, **({naming.SHARED: [], naming.MARKS: []} if goes else shared)}


def test_a_collection_among_the_marks_that_is_none_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {naming.SHARED: ["field-notes"], naming.MARKS: ["mark-1"]}
    release = Release({name: [*names] for name, names in held.items()}, lists=False)
    release.owners = {"mark-1": "somebody"}
    left_at(monkeypatch, release)
    assert release.held == held


@pytest.mark.parametrize("status", [401, 403])
def test_an_address_that_must_not_list_its_databases_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    (line,) = left_at(monkeypatch, Release({}, listing=status)).lines()
    assert "is not removed: http://localhost:8000 does not tell which databases it holds" in line
    assert str(status) in line


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
