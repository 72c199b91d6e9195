"""What a release holds is looked at within bounds, and what counts as lost is no ordinary use."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from support.chroma import holdings
from support.chroma.holdings import Answer, Holding, Holdings, look
from support.deploy import last_live
from support.deploy.liveness import Expectation, Lost, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = "/api/v2/tenants/default_tenant/databases"


@dataclass
class Server:
    """A Chroma that answers as it is told; `counts` are those of its collections, by their names."""

    counts: dict[str, int] = field(default_factory=dict)
    dimension: int = 2
    databases: bool = True
    wrong: dict[str, Answer] = field(default_factory=dict)  # by the end of a path
    asked: list[str] = field(default_factory=list)

    def __call__(self, method: str, path: str, body: dict[str, Any] | None) -> Answer:
        del body
        self.asked.append(f"{method} {path}")
        path, _, query = path.partition("?")
        offset = int(query.rpartition("=")[2] or 0)
        for end, answer in self.wrong.items():
            if path.endswith(end):
                return answer
        if path == ROOT:
            names = [{"name": "default_database"}, {"name": "conformance-r1-0"}]
            return said(names) if self.databases else Answer(405, "", "405")
        if path.endswith("/collections"):
            listed = [{"name": name, "id": f"id-{name}", "dimension": self.dimension} for name in self.counts]
            return said(listed[offset : offset + 100])
        name = path.split("/id-")[1].split("/")[0]
        if path.endswith("/count"):
            return said(self.counts[name])
        return said({"ids": [["one"]] if self.counts[name] else [[]]})


def said(body: Any) -> Answer:
    return Answer(200, json.dumps(body), "200")


def failed(told: str, status: int = 500) -> Answer:
    return Answer(status, "{}", told)


def one(name: str, count: int | None = 3, **more: Any) -> Holding:
    return Holding("default_database", name, f"id-{name}", count, queried=bool(count), **more)


def held(*collections: Holding) -> Holdings:
    return Holdings(collections)


def test_a_look_lists_counts_and_queries() -> None:
    found = look(Server({"notes": 3, "empty": 0}), 10)
    assert found.collections == (
        one("notes", dimension=2),
        replace(one("empty", dimension=2), count=0, queried=False),
    )


def test_a_version_that_lists_no_databases_is_asked_for_its_default_one() -> None:
    assert [each.name for each in look(Server({"notes": 3}, databases=False), 10).collections] == ["notes"]


def test_what_the_suite_makes_for_itself_is_nobodys_data() -> None:
    server = Server({f"{holdings.PROBE_PREFIX}1": 1})
    assert look(server, 10).collections == ()
    assert not any("conformance-r1-0/" in path for path in server.asked)


def test_every_page_is_read() -> None:
    assert len(look(Server({f"c{number}": 1 for number in range(250)}), 30).collections) == 250


def test_a_look_loads_no_more_vectors_than_a_release_can_bear() -> None:
    server = Server({"small": 10, "large": 10**6, "larger": 10**7}, dimension=384)
    queried = {each.name for each in look(server, 10).collections if each.queried}
    assert queried == {"small"}


def test_one_collection_is_queried_however_large() -> None:
    assert look(Server({"large": 10**7}, dimension=384), 10).collections[0].queried


def test_what_is_not_reached_in_time_is_not_judged() -> None:
    found = look(Server({"notes": 3}), 0)
    assert not any(each.fault for each in found.collections)


@pytest.mark.parametrize("end", ["/count", "/query"])
def test_the_servers_own_words_are_kept(end: str) -> None:
    found = look(Server({"notes": 3}, wrong={end: failed("500 mismatched types")}), 10)
    assert [each.fault for each in found.collections] == ["500 mismatched types"]


def test_an_answer_without_a_record_is_none() -> None:
    assert look(Server({"notes": 3}, wrong={"/query": said({"ids": [[]]})}), 10).collections[0].fault


def test_a_collection_that_is_deleted_meanwhile_is_not_missed() -> None:
    assert look(Server({"notes": 3}, wrong={"/count": failed("404", 404)}), 10).collections == ()


def test_silence_is_no_fault() -> None:
    found = look(Server({"notes": 3}, wrong={"/query": Answer(0, "", "ReadTimeout")}), 10)
    assert found.collections[0].fault == ""


def test_what_cannot_be_listed_says_why() -> None:
    found = look(Server({"notes": 3}, wrong={"/collections": failed("KeyError('_type')")}), 10)
    assert found.unlisted == "KeyError('_type')"


NOTES, FERNS = one("notes"), one("ferns")
BROKEN = replace(NOTES, queried=False, fault="500 why")

LOSSES: list[tuple[str, Expectation, Holdings]] = [
    ("all of it", Expectation(held(NOTES), certain=True), held()),
    ("one of two", Expectation(held(NOTES, FERNS), certain=True), held(FERNS)),
    ("its records", Expectation(held(NOTES), certain=True), held(replace(NOTES, count=0, queried=False))),
    ("all of what is brought back", Expectation(held(NOTES), certain=True, spared=True), held()),
]


@pytest.mark.parametrize(("expected", "now"), [loss[1:] for loss in LOSSES], ids=[loss[0] for loss in LOSSES])
def test_data_that_was_there_the_moment_before_is_lost(expected: Expectation, now: Holdings) -> None:
    with pytest.raises(Lost):
        expected.check(now)


USES: list[tuple[str, Expectation, Holdings]] = [
    ("nothing was there", Expectation(), held(NOTES)),
    ("a user deleted all before", Expectation(held(NOTES)), held()),
    ("a user deleted one before", Expectation(held(NOTES, FERNS)), held(FERNS)),
    ("a user made it again", Expectation(held(NOTES), certain=True), held(replace(NOTES, id="other"))),
    ("fewer records", Expectation(held(NOTES), certain=True), held(replace(NOTES, count=1))),
    ("more records", Expectation(held(NOTES), certain=True), held(replace(NOTES, count=9))),
    ("broken already", Expectation(held(BROKEN), certain=True, moved=True), held(BROKEN)),
    ("broken, and nobody knows since when", Expectation(held()), held(BROKEN)),
    (
        "one is missed of what is brought back",
        Expectation(held(NOTES, FERNS), certain=True, spared=True),
        held(FERNS),
    ),
    ("a first release that lists nothing", Expectation(), Holdings(unlisted="403")),
]


@pytest.mark.parametrize(("expected", "now"), [use[1:] for use in USES], ids=[use[0] for use in USES])
def test_ordinary_use_is_no_loss(expected: Expectation, now: Holdings) -> None:
    expected.check(now)
    assert expected.found == now


SILENCES: list[tuple[str, Expectation, Holdings]] = [
    ("answered before", Expectation(held(NOTES)), held(BROKEN)),
    ("another version, and nothing known", Expectation(moved=True), held(BROKEN)),
    ("not listed by another version", Expectation(moved=True), Holdings(unlisted="500 why")),
    ("not listed any more", Expectation(held(NOTES)), Holdings(unlisted="500 why")),
    ("brought back", Expectation(held(NOTES), certain=True, spared=True), held(BROKEN)),
]


@pytest.mark.parametrize(
    ("expected", "now"), [silence[1:] for silence in SILENCES], ids=[silence[0] for silence in SILENCES]
)
def test_what_answered_and_does_so_no_more_is_told_in_the_servers_words(
    expected: Expectation, now: Holdings
) -> None:
    with pytest.raises(Unreadable, match="500 why"):
        expected.check(now)


def test_what_is_missed_of_a_release_that_is_brought_back_is_told() -> None:
    expected = Expectation(held(NOTES, FERNS), certain=True, spared=True)
    expected.check(held(FERNS))
    assert expected.lost() == ["collection default_database/notes (3 records) is gone"]


def test_a_record_of_many_collections_fits_into_a_secret(kept: Callable[[Holdings], dict[str, Any]]) -> None:
    many = held(*(one(f"{number:04}-{'x' * 507}") for number in range(5000)))
    stored = kept(many)
    assert len(json.dumps(stored)) < 2**20 / 2


@pytest.fixture
def kept() -> Callable[[Holdings], dict[str, Any]]:
    """Return what records holdings, and gives the Secret's change."""

    class Kube:
        change: dict[str, Any]

        def get(self, *_of: str) -> dict[str, Any]:
            return {"data": {}}

        def patch(self, _kind: str, _name: str, _namespace: str, change: dict[str, Any]) -> None:
            self.change = change

    def record_it(found: Holdings) -> dict[str, Any]:
        kube: Any = Kube()
        last_live.note(kube, "chroma", last_live.Kept("c", "u", "v", "w", last_live.bounded(found)))
        changed: dict[str, Any] = kube.change
        return changed

    return record_it
