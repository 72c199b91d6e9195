"""Records and what selects them, as Chroma has them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

Scalar = str | int | float | bool


Vector = tuple[float, ...]


Metadata = Mapping[str, Scalar]


# A filter in Chroma's own notation: {"year": {"$gt": 1900}}, {"$and": [...]}, {"$contains": "word"}.
Filter = dict[str, Any]


WriteKind = Literal["add", "update", "upsert", "delete"]


class Metric(StrEnum):
    """How a collection measures: each distance is smaller for what lies closer."""

    L2 = "l2"
    IP = "ip"
    COSINE = "cosine"


@dataclass(frozen=True)
class Record:
    """What a collection holds under an id; a vector's components are float32 values."""

    id: str
    vector: Vector
    document: str | None = None
    metadata: Metadata | None = None


@dataclass(frozen=True)
class Filters:
    """What a record must pass to be seen: a filter on its metadata and one on its document; None lets all pass."""

    metadata: Filter | None = None
    document: Filter | None = None


EVERYTHING: Final = Filters()


def float32(value: float) -> float:
    """Round to the nearest float32; raises `OverflowError` beyond its range."""
    rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return rounded


@dataclass(frozen=True)
class RecordChange:
    """What a write says of one id; None says nothing, and a metadata value of None takes its key away."""

    id: str
    vector: Vector | None = None
    document: str | None = None
    metadata: Mapping[str, Scalar | None] | None = None


@dataclass(frozen=True)
class Write:
    """One call that changes a collection; of the vectors either all or none are said, and each id once."""

    kind: WriteKind
    changes: tuple[RecordChange, ...]
