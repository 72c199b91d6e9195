"""What "any" yields is valid, small, and meets what it should meet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest
from chromadb.api.types import validate_metadata, validate_where, validate_where_document
from hypothesis import Phase, given, settings
from hypothesis import find as find_smallest
from hypothesis.errors import NoSuchExample

from support.chroma.types import Record, float32
from support.laws import filters, strategies
from support.laws.oracle import matches
from support.laws.strategies import DIMENSIONS, MAX_RECORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chromadb.api.types import WhereDocument
    from hypothesis.strategies import SearchStrategy

    from support.chroma.types import Filter
    from support.laws.strategies import History, Trial

Case = TypeVar("Case")
often = settings(max_examples=30, deadline=None)
FOUND = pytest.mark.parametrize("found", [filters.on_metadata, filters.on_documents, filters.on_both])


def find(cases: SearchStrategy[Case], condition: Callable[[Case], bool]) -> bool:
    """Say whether any case is as it should be, be it the smallest or not."""
    soon = settings(max_examples=500, database=None, phases=[Phase.generate])
    try:
        find_smallest(cases, condition, settings=soon)
    except NoSuchExample:
        return False
    return True


def assert_one_collection_takes(records: Sequence[Record]) -> None:
    assert len({record.id for record in records}) == len(records) <= MAX_RECORDS
    assert len({len(record.vector) for record in records}) <= 1
    for record in records:
        assert record.id
        assert len(record.vector) in DIMENSIONS
        assert all(float32(value) == value for value in record.vector)
        assert all(value == 0 or float32(value * value) > 0 for value in record.vector), "squares vanish"
        (record.document or "").encode()
        assert record.metadata is None or validate_metadata(dict(record.metadata))
        for key, value in (record.metadata or {}).items():
            assert key.encode()[0] not in b"#$"
            assert not isinstance(value, int) or -(2**63) <= value < 2**63


def leaves(where: Filter) -> Iterator[tuple[str, str, Any]]:
    """Yield key, operator and operand of each condition."""
    for key, condition in where.items():
        if key in {"$and", "$or"}:
            for part in condition:
                yield from leaves(part)
        else:
            yield key, *(next(iter(condition.items())) if isinstance(condition, dict) else ("", condition))


@often
@given(strategies.arbitrary_trials())
def test_arbitrary_records_are_valid(trial: Trial) -> None:
    assert_one_collection_takes(trial.records)
    assert all(len(record.vector) == trial.dimension for record in trial.records)


@FOUND
def test_trials_are_valid(found: filters.Found) -> None:
    @often
    @given(strategies.filtered_trials(found))
    def trial_is_valid(trial: Trial) -> None:
        assert_one_collection_takes(trial.records)
        assert trial.count == len(trial.records)
        assert all(len(record.vector) == len(trial.vector) for record in trial.records)
        for each in trial.filters:
            if each.metadata is not None:
                validate_where(each.metadata)
            if each.document is not None:
                validate_where_document(cast("WhereDocument", each.document))

    trial_is_valid()


@often
@given(strategies.filtered_trials(filters.on_metadata))
def test_no_fraction_meets_an_integer(trial: Trial) -> None:
    weights = [(record.metadata or {}).get("weight") for record in trial.records]
    assert not any(type(weight) is int for weight in weights)
    for each in trial.filters:
        for key, _, operand in leaves(each.metadata or {}):
            values = operand if isinstance(operand, list) else [operand]
            assert key == "weight" or not any(isinstance(value, float) and value % 1 for value in values)


@FOUND
def test_filters_let_some_pass_and_hide_some(found: filters.Found) -> None:
    def divides(trial: Trial) -> bool:
        return any(len({matches(record, each) for record in trial.records}) == 2 for each in trial.filters)

    assert find(strategies.filtered_trials(found), divides)


@pytest.mark.parametrize("operator", ["", "$eq", "$ne", "$in", "$nin", "$gt", "$gte", "$lt", "$lte"])
def test_every_operator_meets_a_stored_value(operator: str) -> None:
    def is_met(trial: Trial) -> bool:
        stored = [pair for record in trial.records for pair in (record.metadata or {}).items()]
        return any(
            said == operator
            and any((key, value) in stored for value in (operand if said in {"$in", "$nin"} else [operand]))
            for each in trial.filters
            for key, said, operand in leaves(each.metadata or {})
        )

    assert find(strategies.filtered_trials(filters.on_metadata), is_met)


def test_questions_are_sometimes_a_stored_vector() -> None:
    assert find(
        strategies.trials(), lambda trial: trial.vector in [record.vector for record in trial.records]
    )


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_counts_are_below_at_and_above_what_is_stored(more: int) -> None:
    assert find(strategies.counted_trials(), lambda trial: trial.count - len(trial.records) == more)


@often
@given(strategies.histories())
def test_writes_are_what_one_call_can_say(history: History) -> None:
    for write in history.writes:
        assert all(
            len(change.vector or [0] * history.dimension) == history.dimension for change in write.changes
        )
        said = [change.vector is not None for change in write.changes]
        assert len({change.id for change in write.changes}) == len(write.changes) > 0
        assert all(said) or not any(said)
        assert all(said) or write.kind in {"update", "delete"}
        # The client embeds a document without a vector by itself.
        assert all(change.document is None or change.vector is not None for change in write.changes)
        assert write.kind != "add" or not any(
            None in (change.metadata or {}).values() for change in write.changes
        )


def test_writes_meet_the_same_id() -> None:
    def meets(history: History) -> bool:
        added = {change.id for write in history.writes if write.kind == "add" for change in write.changes}
        return any(
            change.id in added for write in history.writes if write.kind != "add" for change in write.changes
        )

    assert find(strategies.histories(), meets)


@pytest.mark.parametrize(("profile", "examples"), [("dev", 20), ("ci", 100), ("soak", 1000)])
def test_profiles(profile: str, examples: int) -> None:
    strategies.register_profiles()
    known = settings.get_profile(profile)
    assert (known.max_examples, known.deadline, known.print_blob) == (examples, None, True)
