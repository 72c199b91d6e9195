"""The model agrees with a second computation of the same, by numpy and by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.chroma.types import Filters, Metric, Record, RecordChange, Vector, Write, float32
from support.laws import filters, strategies
from support.laws.oracle import EPSILON, Model, distance, matches, nearest, tolerance

METRICS = pytest.mark.parametrize("metric", list(Metric))
pairs = st.integers(1, 8).flatmap(
    lambda dimension: st.tuples(strategies.vectors(dimension), strategies.vectors(dimension))
)
often = settings(max_examples=60, deadline=None)


def numpy_distance(metric: Metric, one: Any, other: Any) -> float:
    """Measure as numpy does, in the precision of the arrays."""
    if metric is Metric.L2:
        return float(np.square(one - other).sum())
    if metric is Metric.IP:
        return float(1 - np.dot(one, other))
    # As hnswlib does: normalise, then multiply; a zero vector stays zero.
    one, other = (vector / (np.linalg.norm(vector) or 1) for vector in (one, other))
    return float(1 - np.dot(one, other))


@METRICS
@often
@given(vectors=pairs)
def test_distances_are_those_of_numpy(metric: Metric, vectors: tuple[Vector, Vector]) -> None:
    one, other = (np.array(vector, dtype=np.float64) for vector in vectors)
    assert distance(metric, *vectors) == pytest.approx(numpy_distance(metric, one, other), rel=1e-9, abs=1e-9)


@METRICS
@often
@given(vectors=pairs)
def test_the_tolerance_bounds_the_rounding_of_float32(metric: Metric, vectors: tuple[Vector, Vector]) -> None:
    one, other = (np.array(vector, dtype=np.float32) for vector in vectors)
    off = abs(distance(metric, *vectors) - numpy_distance(metric, one, other))
    assert off <= tolerance(metric, *vectors)


@METRICS
def test_the_tolerance_is_far_below_what_a_fault_changes(metric: Metric) -> None:
    assert tolerance(metric, (1.0,) * 8, (0.5,) * 8) < 1e-4


@METRICS
def test_the_ranking_is_that_of_numpy(metric: Metric) -> None:
    draw = np.random.default_rng(20)
    stored = draw.normal(size=(300, 16)).astype(np.float32)
    question = draw.normal(size=16).astype(np.float32)
    records = [Record(f"{number:03}", tuple(map(float, vector))) for number, vector in enumerate(stored)]
    far = [
        numpy_distance(metric, question.astype(np.float64), vector.astype(np.float64)) for vector in stored
    ]

    ranking = nearest(metric, tuple(map(float, question)), records)

    assert [record.id for _, record in ranking] == [
        f"{number:03}" for number in np.argsort(far, kind="stable")
    ]
    assert [near for near, _ in ranking] == pytest.approx(sorted(far))


def test_records_equally_near_are_ordered_by_id() -> None:
    records = [Record(name, (1.0,)) for name in ("c", "a", "b")]
    assert [record.id for _, record in nearest(Metric.L2, (0.0,), records)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("metric", "one", "other", "promised"),
    [
        (Metric.L2, (1.0, 2.0), (4.0, 6.0), 25.0),
        (Metric.IP, (1.0, 2.0), (4.0, 6.0), -15.0),
        (Metric.COSINE, (1.0, 0.0), (-3.0, 0.0), 2.0),
        (Metric.COSINE, (1.0, 0.0), (0.0, 5.0), 1.0),
        (Metric.COSINE, (0.0, 0.0), (0.0, 5.0), 1.0),
    ],
)
def test_distances_known_by_heart(metric: Metric, one: Vector, other: Vector, promised: float) -> None:
    assert distance(metric, one, other) == promised


def test_vectors_of_two_dimensions_have_no_distance() -> None:
    for metric in Metric:
        with pytest.raises(ValueError, match=r"same|argument"):
            distance(metric, (1.0,), (1.0, 2.0))


@given(st.floats(-1e30, 1e30))
def test_float32_rounds_as_numpy(value: float) -> None:
    assert float32(value) == float(np.float32(value))
    assert math.isclose(float32(value), value, rel_tol=EPSILON, abs_tol=1e-37)


# Filters

YEARS: dict[str, Any] = {"old": 1, "half": 1.5, "whole": 1.0, "word": "1", "yes": True, "other": None}


@pytest.mark.parametrize(
    ("condition", "promised"),
    [
        (1, "old whole"),
        (1.0, "old whole"),
        (1.5, "half"),
        ("1", "word"),
        (True, "yes"),
        ({"$eq": 1}, "old whole"),
        ({"$ne": 1}, "half word yes other"),
        ({"$ne": "1"}, "old half whole yes other"),
        ({"$in": [1, 2]}, "old whole"),
        ({"$in": ["1"]}, "word"),
        ({"$nin": [1, 2]}, "half word yes other"),
        ({"$gt": 1}, "half"),
        ({"$gte": 1}, "old half whole"),
        ({"$lt": 1.5}, "old whole"),
        ({"$lte": 1.5}, "old half whole"),
    ],
)
def test_conditions_by_hand(condition: Any, promised: str) -> None:
    records = [
        Record(name, (0.0,), metadata=None if year is None else {"year": year})
        for name, year in YEARS.items()
    ]
    seen = [record.id for record in records if matches(record, Filters({"year": condition}))]
    assert seen == promised.split()


@pytest.mark.parametrize(
    ("condition", "promised"),
    [
        ({"$contains": "moss"}, "moss mossy"),
        ({"$not_contains": "moss"}, "Moss empty none"),
        ({"$contains": "s"}, "moss Moss mossy"),
        ({"$regex": "^[mM]oss$"}, "moss Moss"),
        ({"$not_regex": "o"}, "empty none"),
        ({"$and": [{"$contains": "moss"}, {"$not_contains": "y"}]}, "moss"),
        ({"$or": [{"$contains": "M"}, {"$contains": "y"}]}, "Moss mossy"),
    ],
)
def test_conditions_on_documents_by_hand(condition: Any, promised: str) -> None:
    documents = {"moss": "moss", "Moss": "Moss", "mossy": "a mossy wall", "empty": "", "none": None}
    records = [Record(name, (0.0,), document) for name, document in documents.items()]
    assert [r.id for r in records if matches(r, Filters(document=condition))] == promised.split()


def masked(where: Any, columns: dict[str, list[Any]], rows: int) -> Any:
    """Filter columns of metadata with numpy masks instead of record by record."""
    ((key, condition),) = where.items()
    if key in {"$and", "$or"}:
        masks = [masked(part, columns, rows) for part in condition]
        return np.logical_and.reduce(masks) if key == "$and" else np.logical_or.reduce(masks)
    column = columns.get(key, [None] * rows)
    ((operator, operand),) = condition.items() if isinstance(condition, dict) else (("$eq", condition),)

    def typed(kind: Any) -> tuple[Any, Any]:
        fits = np.array([kind(value) for value in column])
        return fits, np.array(
            [value if fit else 0 for value, fit in zip(column, fits, strict=True)], dtype=object
        )

    def equal(operand: Any) -> Any:
        if isinstance(operand, bool | str):
            fits, values = typed(lambda value: type(value) is type(operand))
        else:
            fits, values = typed(lambda value: type(value) in {int, float})
        return fits & (values == operand)

    if operator in {"$eq", "$ne"}:
        mask = equal(operand)
    elif operator in {"$in", "$nin"}:
        mask = np.logical_or.reduce([equal(one) for one in operand])
    else:
        fits, values = typed(lambda value: type(value) in {int, float})
        compared = {"$gt": np.greater, "$gte": np.greater_equal, "$lt": np.less, "$lte": np.less_equal}
        return fits & compared[operator](values.astype(float), float(operand))
    return ~mask if operator in {"$ne", "$nin"} else mask


@often
@given(strategies.filtered_trials(filters.on_metadata))
def test_filters_hide_what_masks_hide(trial: strategies.Trial) -> None:
    keys = {key for record in trial.records for key in record.metadata or {}}
    columns = {key: [(record.metadata or {}).get(key) for record in trial.records] for key in keys}
    for each in trial.filters:
        seen = [matches(record, each) for record in trial.records]
        assert seen == masked(each.metadata, columns, len(trial.records)).tolist()


# Writes


def test_the_first_addition_wins() -> None:
    assert after(Write("add", (RecordChange("a", (2.0,), "other"),))) == {
        "a": Record("a", (1.0,), "moss", {"n": 1, "m": 2})
    }


def test_an_update_merges_and_a_none_takes_its_key_away() -> None:
    write = Write(
        "update", (RecordChange("a", metadata={"n": None, "m": 3, "k": True}), RecordChange("b", (2.0,)))
    )
    assert after(write) == {"a": Record("a", (1.0,), "moss", {"m": 3, "k": True})}


def test_metadata_without_a_key_is_none() -> None:
    assert after(Write("update", (RecordChange("a", metadata={"n": None, "m": None}),)))["a"].metadata is None


def test_an_upsert_changes_and_adds() -> None:
    write = Write(
        "upsert",
        (RecordChange("a", (2.0,), metadata={"n": 5}), RecordChange("b", (3.0,), "fern", {"n": None})),
    )
    assert after(write) == {
        "a": Record("a", (2.0,), "moss", {"n": 5, "m": 2}),
        "b": Record("b", (3.0,), "fern", None),
    }


def test_a_deletion_passes_over_unknown_ids() -> None:
    assert after(Write("delete", (RecordChange("b"), RecordChange("a")))) == {}


def after(write: Write) -> dict[str, Record]:
    """Return what a write leaves of a collection of one record."""
    model = Model()
    model.write(Write("add", (RecordChange("a", (1.0,), "moss", {"n": 1, "m": 2}),)))
    model.write(write)
    return model.records
