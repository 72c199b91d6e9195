"""The records that scenarios write: an endless list that is always the same."""

from __future__ import annotations

import random
from typing import Final

from support.chroma.types import Record, float32

# Records of the deterministic kind: large enough to differ in every column.
DIMENSION: Final = 16


_TOPICS: Final = ("birds", "ferns", "lichens", "moths", "rivers")


def records(count: int, dimension: int = DIMENSION) -> list[Record]:
    """Make the first so many of an endless list of records that is always the same."""
    return [_record(number, dimension) for number in range(1, count + 1)]


def _record(number: int, dimension: int) -> Record:
    draw = random.Random(number)  # noqa: S311 - the same numbers every time, no secret
    topic = _TOPICS[number % len(_TOPICS)]
    return Record(
        id=f"note-{number:05}",
        vector=tuple(float32(draw.uniform(-1, 1)) for _ in range(dimension)),
        document=f"Note {number} is about {topic}.",
        metadata={"number": number, "weight": number / 4, "topic": topic, "even": number % 2 == 0},
    )
