"""What a collection answers, computed exactly and in plain Python."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from support.chroma.types import (
    Filter,
    Filters,
    Metadata,
    Metric,
    Record,
    RecordChange,
    Scalar,
    Vector,
    Write,
)

# One rounding of a float32: what Chroma computes with.
EPSILON: Final = 2.0**-23


def distance(metric: Metric, one: Vector, other: Vector) -> float:
    """Measure from one vector to another of its dimension.

    l2 is squared, ip is 1 - dot, cosine is 1 - cos, and a zero vector has the cosine 0 with any other (measured on 1.5.9).
    """
    if metric is Metric.L2:
        return math.dist(one, other) ** 2
    dot = sum(a * b for a, b in zip(one, other, strict=True))
    if metric is Metric.IP:
        return 1.0 - dot
    lengths = math.hypot(*one) * math.hypot(*other)
    return 1.0 - dot / lengths if lengths else 1.0


def tolerance(metric: Metric, one: Vector, other: Vector) -> float:
    """Bound the rounding of a distance computed in float32: one rounding a term and operation, of the largest sum met."""
    if metric is Metric.L2:
        largest = sum((abs(a) + abs(b)) ** 2 for a, b in zip(one, other, strict=True))
    elif metric is Metric.IP:
        largest = 1.0 + sum(abs(a * b) for a, b in zip(one, other, strict=True))
    else:
        # Vectors are normalised first, so that no term exceeds 1; that costs as many roundings again.
        largest = 4.0
    return 2 * (len(one) + 2) * EPSILON * largest


def nearest(metric: Metric, question: Vector, records: Iterable[Record]) -> list[tuple[float, Record]]:
    """Order the records from the nearest to the farthest, each with its distance; equally near ones by id."""
    return sorted(
        ((distance(metric, question, record.vector), record) for record in records),
        key=lambda pair: (pair[0], pair[1].id),
    )


def matches(record: Record, filters: Filters) -> bool:
    """Say whether the filters let the record through."""
    return _metadata_matches(record.metadata or {}, filters.metadata) and _document_matches(
        record.document, filters.document
    )


def _metadata_matches(metadata: Metadata, where: Filter | None) -> bool:
    if where is None:
        return True
    ((key, condition),) = where.items()
    if key in _JOINTS:
        return _JOINTS[key](_metadata_matches(metadata, part) for part in condition)
    ((operator, operand),) = condition.items() if isinstance(condition, Mapping) else (("$eq", condition),)
    return _CONDITIONS[operator](metadata.get(key), operand)


def _document_matches(document: str | None, where: Filter | None) -> bool:
    if where is None:
        return True
    ((operator, operand),) = where.items()
    if operator in _JOINTS:
        return _JOINTS[operator](_document_matches(document, part) for part in operand)
    return _DOCUMENT_CONDITIONS[operator](document, operand)


_JOINTS: Final[dict[str, Callable[[Iterable[bool]], bool]]] = {"$and": all, "$or": any}


def _is_number(value: Scalar | None) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(stored: Scalar | None, operand: Scalar) -> bool:
    if _is_number(stored) and _is_number(operand):
        return bool(stored == _as_compared(stored, operand))
    return type(stored) is type(operand) and stored == operand


def _as_compared(stored: Scalar | None, operand: Any) -> Any:
    # Chroma rounds an integer it compares with a stored float, but not a stored integer.
    return float(operand) if isinstance(stored, float) else operand


def _ordered(holds: Callable[[Any, Any], bool]) -> Callable[[Scalar | None, Scalar], bool]:
    return lambda stored, operand: _is_number(stored) and holds(stored, _as_compared(stored, operand))


# A record without the key, or with a value of another type, is not equal to anything, so $ne and $nin let it through.
_CONDITIONS: Final[dict[str, Callable[[Scalar | None, Any], bool]]] = {
    "$eq": _equal,
    "$ne": lambda stored, operand: not _equal(stored, operand),
    "$in": lambda stored, operands: any(_equal(stored, operand) for operand in operands),
    "$nin": lambda stored, operands: not any(_equal(stored, operand) for operand in operands),
    "$gt": _ordered(lambda a, b: a > b),
    "$gte": _ordered(lambda a, b: a >= b),
    "$lt": _ordered(lambda a, b: a < b),
    "$lte": _ordered(lambda a, b: a <= b),
}

# A record without a document contains nothing.
_DOCUMENT_CONDITIONS: Final[dict[str, Callable[[str | None, str], bool]]] = {
    "$contains": lambda document, part: document is not None and part in document,
    "$not_contains": lambda document, part: document is None or part not in document,
    "$regex": lambda document, pattern: document is not None and re.search(pattern, document) is not None,
    "$not_regex": lambda document, pattern: document is None or re.search(pattern, document) is None,
}


@dataclass
class Model:
    """A collection as it must be after the same writes."""

    records: dict[str, Record] = field(default_factory=dict)

    def write(self, write: Write) -> None:
        """Do what one call does: the first addition of an id wins, and an update or deletion passes over unknown ids."""
        for change in write.changes:
            known = self.records.get(change.id)
            match write.kind, known:
                case ("add", None) | ("upsert", _) | ("update", Record()):
                    self.records[change.id] = _changed(known or Record(change.id, ()), change)
                case "delete", Record():
                    del self.records[change.id]


def _changed(record: Record, change: RecordChange) -> Record:
    merged = {**(record.metadata or {}), **(change.metadata or {})}
    return replace(
        record,
        vector=record.vector if change.vector is None else change.vector,
        document=record.document if change.document is None else change.document,
        # A record without metadata reads back with none rather than with an empty one.
        metadata={key: value for key, value in merged.items() if value is not None} or None,
    )
