"""An honest collection keeps every law, and each law is broken by the dishonest one it is there for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from support.chroma import calls
from support.chroma.calls import Hit
from support.chroma.types import Metric, Record
from support.laws import filters as laws_filters
from support.laws import invariants, strategies
from support.laws.invariants import LawRunner, same_records
from support.laws.recall import recall
from tests.unit.laws.collections import (
    Adding,
    Blind,
    Floating,
    Forgetful,
    Frozen,
    Generous,
    Honest,
    Keen,
    Lenient,
    Normalising,
    Repetitive,
    Replacing,
    Reversed,
    Rooted,
    Shifted,
    Short,
    Stubborn,
    Swapped,
)

# Nothing is asked of a release here, so that many cases are cheap; what breaks a law need not be small.
quick = settings(
    max_examples=40,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    report_multiple_bugs=False,
)


LAWS: dict[str, tuple[Any, Any]] = {
    "order": (invariants.answer_is_in_order, strategies.trials()),
    "distances": (invariants.distances_are_true, strategies.trials()),
    "self": (invariants.records_find_themselves, strategies.trials(min_records=1)),
    "nearest": (invariants.nearest_are_answered, strategies.counted_trials()),
    "shown": (invariants.answer_shows_records, strategies.trials()),
    "metadata": (invariants.answer_has_what_matches, strategies.filtered_trials(laws_filters.on_metadata)),
    "documents": (invariants.answer_has_what_matches, strategies.filtered_trials(laws_filters.on_documents)),
    "read": (invariants.filter_reads_what_matches, strategies.filtered_trials(laws_filters.on_both)),
    "deleted": (invariants.filter_deletes_what_matches, strategies.filtered_trials(laws_filters.on_both)),
    "back": (invariants.records_read_back, strategies.arbitrary_trials()),
    "writes": (invariants.writes_add_up, strategies.histories()),
}


def try_law(name: str, kind: type[Honest], metric: Metric = Metric.L2) -> None:
    law, cases = LAWS[name]

    @quick
    @given(cases)
    def holds(case: Any) -> None:
        law(kind(metric), metric, case)

    holds()


@pytest.mark.parametrize("law", LAWS)
def test_an_honest_collection_keeps_the_law(law: str) -> None:
    try_law(law, Honest)


@pytest.mark.parametrize("metric", [Metric.COSINE, Metric.IP])
@pytest.mark.parametrize("law", ["order", "distances", "nearest"])
def test_the_law_is_kept_by_every_metric(law: str, metric: Metric) -> None:
    try_law(law, Honest, metric)


def test_records_find_themselves_by_cosine() -> None:
    try_law("self", Honest, Metric.COSINE)


@pytest.mark.parametrize(
    ("law", "kind", "says"),
    [
        ("order", Swapped, "no record is nearer"),
        ("order", Reversed, "no record is nearer"),
        ("order", Short, "records"),
        ("distances", Rooted, "distance"),
        ("distances", Reversed, "distance"),
        ("distances", Normalising, "distance"),
        ("self", Short, "is the nearest"),
        ("self", Normalising, "is the nearest"),
        ("nearest", Short, "nearest"),
        ("nearest", Generous, "nearest"),
        ("nearest", Repetitive, "each once"),
        ("shown", Shifted, "differs"),
        ("shown", Short, "records"),
        ("metadata", Blind, "does not match"),
        ("metadata", Short, "hidden"),
        ("documents", Blind, "does not match"),
        ("read", Blind, "still there"),
        ("read", Shifted, "differs"),
        ("deleted", Keen, "missing"),
        ("deleted", Stubborn, "still there"),
        ("back", Forgetful, "differs"),
        ("back", Floating, "differs"),
        ("back", Shifted, "differs"),
        ("writes", Lenient, "differs"),
        ("writes", Frozen, "differs"),
        ("writes", Adding, "differs"),
        ("writes", Replacing, "differs"),
        ("writes", Stubborn, "still there|differs"),
    ],
)
def test_a_dishonest_collection_breaks_the_law(law: str, kind: type[Honest], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        try_law(law, kind)


def test_a_metric_that_is_dropped_breaks_the_distances() -> None:
    law, cases = LAWS["distances"]

    @quick
    @given(cases)
    def holds(case: Any) -> None:
        law(Honest(Metric.L2), Metric.COSINE, case)

    with pytest.raises(AssertionError, match="the cosine distance"):
        holds()


def test_recall_counts_what_is_as_near_as_the_farthest_of_the_nearest() -> None:
    records = [Record(name, (far,)) for name, far in (("a", 0.0), ("b", 1.0), ("c", 1.0), ("d", 5.0))]
    hits = {record.id: Hit(record, 0.0) for record in records}
    question = [(0.0,)]

    def found(*names: str) -> float:
        return recall(Metric.L2, records, question, 2, [[hits[name] for name in names]])

    assert found("a", "b") == found("a", "c") == 1.0
    assert found("a", "d") == found("a") == found("a", "a") == 0.5
    assert found() == 0.0


def test_floats_of_metadata_may_be_off_by_their_last_digits_only() -> None:
    written = Record("a", (0.0,), metadata={"n": 1.9366668597272595e-231})
    same_records([written], [replace(written, metadata={"n": 1.93666685972726e-231})])
    others: list[Any] = [{"n": 1.93666685972736e-231}, {"n": 0}, {"n": "1"}, None]
    for other in others:
        with pytest.raises(AssertionError, match="differs"):
            same_records([written], [replace(written, metadata=other)])


def test_what_is_there_twice_is_shown() -> None:
    with pytest.raises(AssertionError, match="'a' is there 2 times"):
        same_records([Record("a", (0.0,))], [Record("a", (0.0,))] * 2)


def test_a_bench_empties_its_collection_for_each_case_and_stops_shrinking_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Database:
        made = 0
        reuses_ids = True

        def reuse(self, metric: Metric, _dimension: int) -> Honest:
            self.made += 1
            return Honest(metric)

    tried = []

    def never_holds(collection: Any, _metric: Metric, history: strategies.History) -> None:
        assert not calls.contents(collection), "the case before left something behind"
        calls.add(collection, [Record("a", (0.0,) * history.dimension)])
        tried.append(history)
        raise AssertionError

    monkeypatch.setattr(invariants, "_SHRINKING", 0.0)
    database: Any = Database()
    with pytest.raises(AssertionError, match=r"^\n"):
        LawRunner(database, Metric.L2).try_law(never_holds, strategies.histories())
    # The case that broke the law, again and to show it; what shrinking proposes is not tried.
    assert len(tried) <= 4
    assert len(set(map(repr, tried))) == database.made == 1
