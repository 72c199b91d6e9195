"""The laws of a collection: each writes to a new collection, looks at it, and raises an `AssertionError` that shows what broke it."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from hypothesis import given as for_any
from hypothesis import settings

from support.chroma import calls
from support.chroma.types import EVERYTHING, Metric
from support.laws.oracle import Model, distance, matches, nearest, tolerance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hypothesis.strategies import SearchStrategy

    from support.chroma.calls import Hit
    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.chroma.types import Filters, Record, Scalar
    from support.laws.strategies import History, Trial


class HasDimension(Protocol):
    """What a law is tried on says of which dimension its vectors are."""

    @property
    def dimension(self) -> int:
        """The number of components of each vector."""


Case = TypeVar("Case", bound=HasDimension)

Law = Callable[["Collection", Metric, Case], None]

# Seconds spent on making a failure smaller.
_SHRINKING: Final = 5.0

# A float of metadata comes back within four units in the last place: Chroma's JSON parser rounds (three seen on 1.5.9).
_ROUNDING: Final = 2.0**-50

# Lines of a failure that are shown; a broken collection breaks each record in the same way.
_SHOWN: Final = 12


@dataclass(frozen=True)
class LawRunner:
    """Where a law is tried: an empty collection of this metric, of each dimension one.

    It is emptied for the next case, not made anew: of each collection that was ever written to, Chroma 1.5.9 keeps
    2.6 MB until it starts again, and files for good, even if the collection is deleted. Chroma 0.5.23 needs it anew: a record that is
    deleted and added again under its id may keep its old vector.
    """

    database: Database
    metric: Metric
    _collections: dict[int, Collection] = field(default_factory=dict)

    def try_law(self, law: Law[Case], cases: SearchStrategy[Case]) -> None:
        """Try a law on any case; Hypothesis reports the smallest that breaks it."""
        try_any(lambda case: law(self._empty(case.dimension), self.metric, case), cases)

    def _empty(self, dimension: int) -> Collection:
        if dimension in self._collections and not self.database.reuses_ids:
            self.database.delete(self._collections.pop(dimension).name)
        if dimension in self._collections:
            calls.clear(self._collections[dimension])
            left = self._collections[dimension].get(include=[])["ids"]
            assert not left, _broken(
                "a collection emptied by deleting", f"{len(left)} records", [f"{left} still there"]
            )
        else:
            self._collections[dimension] = self.database.reuse(self.metric, dimension)
        return self._collections[dimension]


def try_any(law: Callable[[Any], None], cases: SearchStrategy[Any], share: int = 1) -> None:
    """Try a law on any case; Hypothesis reports the smallest that breaks it.

    Of cases that hold much each, a `share` of the profile's number is enough: 4 means a quarter.
    """
    broken_by = _Broken()

    @settings(max_examples=max(1, settings().max_examples // share))
    @for_any(cases)
    def holds(case: Any) -> None:
        if broken_by.is_worth_trying(case):
            with broken_by.noting(case):
                law(case)

    holds()


class _Broken:
    """The cases that broke a law, of which Hypothesis seeks the smallest: but not for ever, as each try asks a release."""

    def __init__(self) -> None:
        self._cases: set[str] = set()
        self._until = math.inf

    def is_worth_trying(self, case: object) -> bool:
        # What broke the law is tried again in the end, to be shown.
        return time.monotonic() < self._until or repr(case) in self._cases

    @contextmanager
    def noting(self, case: object) -> Iterator[None]:
        try:
            yield
        except Exception:
            self._cases.add(repr(case))
            self._until = min(self._until, time.monotonic() + _SHRINKING)
            raise


def answer_is_in_order(collection: Collection, metric: Metric, trial: Trial) -> None:
    """Assert that no record in an answer is nearer than the one before it."""
    hits = _ask_for_all(collection, trial)
    for before, after in pairwise(hits):
        slack = _slack(metric, trial, before) + _slack(metric, trial, after)
        truly = _true(metric, trial, before) <= _true(metric, trial, after) + slack
        in_order = truly and before.distance <= after.distance
        assert in_order, _broken(
            f"no record is nearer to {trial.vector} than the one before it",
            f"{after.record.id} after {before.record.id}",
            _lines(metric, trial, hits),
        )


def distances_are_true(collection: Collection, metric: Metric, trial: Trial) -> None:
    """Assert that each distance in an answer is the one from the question to the record, but for rounding."""
    hits = _ask_for_all(collection, trial)
    for hit in hits:
        off = abs(hit.distance - _true(metric, trial, hit))
        assert off <= _slack(metric, trial, hit), _broken(
            f"the {metric} distance of each record from {trial.vector}",
            f"{hit.record.id} is off by {off:g}",
            _lines(metric, trial, hits),
        )


def records_find_themselves(collection: Collection, metric: Metric, trial: Trial) -> None:
    """Assert that nothing is nearer to a record's own vector than the record; for ip a longer one may be."""
    calls.add(collection, trial.records)
    answers = calls.ask(collection, [record.vector for record in trial.records], 1)
    for record, hits in zip(trial.records, answers, strict=True):
        vector = record.vector
        as_near = distance(metric, vector, vector) + tolerance(metric, vector, vector)
        found = {hit.record.id: distance(metric, vector, trial.record(hit.record.id).vector) for hit in hits}
        assert any(far <= as_near for far in found.values()), _broken(
            f"{record.id}, or one as near, is the nearest to {vector}",
            f"{len(found)} records",
            [f"{name} at distance {far:g}" for name, far in found.items()],
        )


def nearest_are_answered(collection: Collection, metric: Metric, trial: Trial) -> None:
    """Assert that an answer has the nearest records, as many as asked for or all that there are."""
    calls.add(collection, trial.records)
    hits = _ask(collection, trial)
    promised = nearest(metric, trial.vector, trial.records)[: trial.count]
    seen = sorted(_true(metric, trial, hit) for hit in hits)
    reach = [far + 2 * tolerance(metric, trial.vector, record.vector) for far, record in promised]
    near = len(seen) == len(reach) and all(map(float.__le__, seen, reach))
    assert near, _broken(
        f"the {trial.count} of {len(trial.records)} records nearest to {trial.vector}",
        f"{len(hits)} records",
        [*(f"promised: {record.id} at {far:g}" for far, record in promised), *_lines(metric, trial, hits)],
    )


def answer_has_what_matches(collection: Collection, _metric: Metric, trial: Trial) -> None:
    """Assert that an answer through a filter has the records that match, and no others."""
    calls.add(collection, trial.records)
    for filters in trial.filters:
        promised = {record.id for record in trial.records if matches(record, filters)}
        seen = {hit.record.id for hit in _ask(collection, trial, filters)}
        assert seen == promised, _broken(
            f"the {len(promised)} records that match {filters}",
            f"{len(seen)} records",
            [
                *(f"hidden: {record}" for record in trial.records if record.id in promised - seen),
                *(f"does not match: {record}" for record in trial.records if record.id in seen - promised),
            ],
        )


def answer_shows_records(collection: Collection, _metric: Metric, trial: Trial) -> None:
    """Assert that an answer shows each record as it was written."""
    same_records(trial.records, [hit.record for hit in _ask_for_all(collection, trial)])


def filter_reads_what_matches(collection: Collection, _metric: Metric, trial: Trial) -> None:
    """Assert that reading through a filter gives the records that match, and no others."""
    calls.add(collection, trial.records)
    for filters in trial.filters:
        promised = [record for record in trial.records if matches(record, filters)]
        same_records(promised, calls.contents(collection, filters), f"those that match {filters}")


def filter_deletes_what_matches(collection: Collection, _metric: Metric, trial: Trial) -> None:
    """Assert that deleting through a filter takes the records that match, and no others."""
    calls.add(collection, trial.records)
    left = list(trial.records)
    for filters in trial.filters:
        left = [record for record in left if not matches(record, filters)]
        calls.delete(collection, filters)
        same_records(left, calls.contents(collection), f"those that {filters} leaves")


def records_read_back(collection: Collection, _metric: Metric, trial: Trial) -> None:
    """Assert that records read back as they were added."""
    calls.add(collection, trial.records)
    same_records(trial.records, calls.contents(collection))


def writes_add_up(collection: Collection, _metric: Metric, history: History) -> None:
    """Assert that a collection holds what any writes say, one after the other."""
    model = Model()
    for write in history.writes:
        model.write(write)
        calls.write(collection, write)
    same_records(list(model.records.values()), calls.contents(collection))


def same_records(
    promised: Sequence[Record], seen: Sequence[Record], which: str = "as they were written"
) -> None:
    """Compare records in any order and show those that differ; `which` says which are promised."""
    wanted = {record.id: record for record in promised}
    found = {record.id: record for record in seen}
    times = Counter(record.id for record in seen)
    wrong = [
        *(f"{name!r} is there {times[name]} times" for name in found if times[name] > 1),
        *(f"{name!r} is missing" for name in wanted if name not in found),
        *(f"{name!r} is still there, or never was written" for name in found if name not in wanted),
        *(line for name in found if name in wanted for line in _differences(wanted[name], found[name])),
    ]
    assert not wrong, _broken(
        f"{len(promised)} records, {which}", f"{len(seen)} records; {wrong[0]}", wrong[1:]
    )


def _differences(promised: Record, seen: Record) -> Iterator[str]:
    """Say in which fields a record differs from what was written."""
    if seen.vector != promised.vector:
        yield f"{seen.id!r} differs: its vector is {seen.vector}, not {promised.vector}"
    if seen.document != promised.document:
        yield f"{seen.id!r} differs: its document is {seen.document!r}, not {promised.document!r}"
    ours, theirs = promised.metadata or {}, seen.metadata or {}
    if ours.keys() != theirs.keys() or not all(_same_value(ours[key], theirs[key]) for key in ours):
        yield f"{seen.id!r} differs: its metadata is {seen.metadata}, not {promised.metadata}"


def _same_value(one: Scalar, other: Scalar) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_ROUNDING)
    # 1, 1.0 and True are equal to Python, but not the same.
    return type(one) is type(other) and one == other


def _ask(collection: Collection, trial: Trial, filters: Filters = EVERYTHING) -> list[Hit]:
    """Ask a collection that holds the trial's records the trial's question."""
    # The client itself refuses to ask for no record at all.
    (hits,) = calls.ask(collection, [trial.vector], max(trial.count, 1), filters)
    ids, stored = [hit.record.id for hit in hits], {record.id for record in trial.records}
    strange = [name for name in ids if name not in stored or ids.count(name) > 1]
    assert not strange, _broken("records of the collection, each once", f"records like {strange[0]!r}", ids)
    return hits


def _ask_for_all(collection: Collection, trial: Trial) -> list[Hit]:
    """Add the records and ask as `_ask` does, where an answer that leaves records out would say nothing."""
    calls.add(collection, trial.records)
    hits = _ask(collection, trial)
    assert len(hits) == len(trial.records), _broken(
        f"all {len(trial.records)} records", f"{len(hits)} records", []
    )
    return hits


def _true(metric: Metric, trial: Trial, hit: Hit) -> float:
    """Return a hit's exact distance, by the vector that was written rather than by the one in the answer."""
    return distance(metric, trial.vector, trial.record(hit.record.id).vector)


def _slack(metric: Metric, trial: Trial, hit: Hit) -> float:
    return tolerance(metric, trial.vector, trial.record(hit.record.id).vector)


def _lines(metric: Metric, trial: Trial, hits: Iterable[Hit]) -> list[str]:
    return [f"{hit.record.id} at {hit.distance:.9g}, truly {_true(metric, trial, hit):.9g}" for hit in hits]


def _broken(promised: str, seen: str, lines: Sequence[str]) -> str:
    shown = [*lines[:_SHOWN], *([f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else [])]
    return "\n  ".join([f"promised: {promised}\nseen:     {seen}", *shown])
