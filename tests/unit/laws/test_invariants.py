"""An honest collection keeps every law, and each law is broken by the dishonest one it is there for."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from support.chroma import calls
from support.chroma.calls import Hit
from support.chroma.types import Filters, Metric, Record, RecordChange, Write
from support.laws import filters as laws_filters
from support.laws import invariants, strategies
from support.laws.invariants import LawRunner, same_records
from support.laws.oracle import Model, matches, nearest
from support.laws.recall import recall

Columns = dict[str, Any]
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


class Honest:
    """A collection in memory that speaks as chromadb's does."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.model = Model()

    def add(self, **columns: Any) -> None:
        self._write("add", columns)

    def update(self, **columns: Any) -> None:
        self._write("update", columns)

    def upsert(self, **columns: Any) -> None:
        self._write("upsert", columns)

    def delete(self, **said: Any) -> None:
        matching = self.matching(Filters(said.get("where"), said.get("where_document")))
        self._write("delete", {"ids": said.get("ids") or [record.id for record in matching]})

    def get(self, **said: Any) -> Columns:
        return self.columns(self.matching(Filters(said.get("where"), said.get("where_document"))))

    def query(self, **said: Any) -> Columns:
        matching = self.matching(Filters(said["where"], said["where_document"]))
        rows = [
            nearest(self.metric, tuple(vector), matching)[: said["n_results"]]
            for vector in said["query_embeddings"]
        ]
        columns = [self.columns([record for _, record in row]) for row in rows]
        answer = {name: [each[name] for each in columns] for name in self.columns([])}
        return {**answer, "distances": [[far for far, _ in row] for row in rows]}

    def columns(self, records: list[Record]) -> Columns:
        return {
            "ids": [record.id for record in records],
            "embeddings": [list(record.vector) for record in records],
            "documents": [record.document for record in records],
            "metadatas": [record.metadata and dict(record.metadata) for record in records],
        }

    def matching(self, filters: Filters) -> list[Record]:
        return [record for record in self.model.records.values() if matches(record, filters)]

    def _write(self, kind: Any, columns: Columns) -> None:
        nothing = [None] * len(columns["ids"])
        rows = zip(
            columns["ids"],
            *(columns.get(name, nothing) for name in ("embeddings", "documents", "metadatas")),
            strict=True,
        )
        changes = tuple(
            RecordChange(name, vector and tuple(vector), text, data) for name, vector, text, data in rows
        )
        self.model.write(Write(kind, changes))


class Swapped(Honest):
    """Answers have their first two records in each other's place."""

    def query(self, **said: Any) -> Columns:
        answer = super().query(**said)
        for rows in answer.values():
            for row in rows:
                row[:2] = reversed(row[:2])
        return answer


class Reversed(Honest):
    """Distances run the wrong way, records the right one."""

    def query(self, **said: Any) -> Columns:
        answer = super().query(**said)
        return {**answer, "distances": [row[::-1] for row in answer["distances"]]}


class Short(Honest):
    """Answers lack their last record."""

    def query(self, **said: Any) -> Columns:
        return {name: [row[:-1] for row in rows] for name, rows in super().query(**said).items()}


class Generous(Honest):
    """Answers hold one record too many."""

    def query(self, **said: Any) -> Columns:
        return super().query(**{**said, "n_results": said["n_results"] + 1})


class Repetitive(Honest):
    """Answers say their first record again in the place of the last."""

    def query(self, **said: Any) -> Columns:
        return {name: [row[:-1] + row[:1] for row in rows] for name, rows in super().query(**said).items()}


class Rooted(Honest):
    """Distances are not squared."""

    def query(self, **said: Any) -> Columns:
        answer = super().query(**said)
        return {**answer, "distances": [[math.sqrt(abs(far)) for far in row] for row in answer["distances"]]}


class Normalising(Honest):
    """Questions are normalised on their way."""

    def query(self, **said: Any) -> Columns:
        vectors = [
            [value / (math.hypot(*vector) or 1) for value in vector] for vector in said["query_embeddings"]
        ]
        return super().query(**{**said, "query_embeddings": vectors})


class Shifted(Honest):
    """Documents and metadata stand beside the wrong records."""

    def columns(self, records: list[Record]) -> Columns:
        columns = super().columns(records)
        for name in ("documents", "metadatas"):
            columns[name] = columns[name][1:] + columns[name][:1]
        return columns


class Blind(Honest):
    """Filters are not looked at."""

    def matching(self, filters: Filters) -> list[Record]:  # noqa: ARG002 - it is what this model overlooks
        return list(self.model.records.values())


class Keen(Honest):
    """Deletions through a filter take everything."""

    def delete(self, **said: Any) -> None:
        super().delete(ids=said.get("ids") or list(self.model.records))


class Stubborn(Honest):
    """Deletions are not done."""

    def delete(self, **_: Any) -> None:
        return


class Forgetful(Honest):
    """Metadata is not kept."""

    def add(self, **columns: Any) -> None:
        super().add(**{**columns, "metadatas": [None] * len(columns["ids"])})


class Lenient(Honest):
    """The last addition of an id wins."""

    def add(self, **columns: Any) -> None:
        super().upsert(**columns)


class Frozen(Honest):
    """Updates are not done."""

    def update(self, **_: Any) -> None:
        return


class Adding(Honest):
    """Upserts only add."""

    def upsert(self, **columns: Any) -> None:
        super().add(**columns)


class Replacing(Honest):
    """Metadata is replaced, not merged."""

    def upsert(self, **columns: Any) -> None:
        super().delete(ids=columns["ids"])
        super().upsert(**columns)


class Floating(Honest):
    """Integers come back as floats."""

    def columns(self, records: list[Record]) -> Columns:
        return super().columns([replace(record, metadata=floats(record)) for record in records])


def floats(record: Record) -> Any:
    return record.metadata and {
        key: float(value) if type(value) is int else value for key, value in record.metadata.items()
    }


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

        def create(self, _name: str, metric: Metric) -> Honest:
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
