"""Measures how fast a release is and what its records weigh; most of it is a fact for the report, and no verdict."""

from __future__ import annotations

import random
import statistics
import time
import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from support.checks.performance.memory import resident
from support.chroma import calls, samples
from support.chroma.types import Record
from support.core.promises import PromiseBroken
from support.core.restraint import restraint
from support.diagnosis.findings import Finding, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence

    from support.chroma.client import Collection
    from support.chroma.types import Vector
    from support.deploy.live import Live

# How many times faster a batch has to be, at least: it is 8 to 26 times for 100 (measured, on a busy machine). What takes its
# time for each thing of a batch leaves it at one.
_GAIN: Final = 2.0
# Calls with a batch, of which one alone may meet a moment in which the machine does something else.
_BATCHES: Final = 3

# Bytes of a component, of which Chroma keeps float32.
_COMPONENT: Final = 4
# As many times the bytes of its vector may a record weigh: the vector, the graph of the index, the copies of what is
# not yet written to disk, and what the allocator has not given back. Measured on 1.5.9: 3.5 to 6.3 for 4000 of 384 dimensions.
_HEAVIEST: Final = 12
# Records added by one call: below the limit of every version.
_BATCH: Final = 1000
# Records asked for by a question: as many as the client asks for by itself.
_NEAREST: Final = 10


class Measurement(Protocol):
    """What was measured, and how much it came to as text."""

    @property
    def what(self) -> str:
        """What was measured."""


Measured = TypeVar("Measured", bound=Measurement)


def report(measurement: Measured, measured: MutableMapping[str, str]) -> Measured:
    """Put a measurement among what was measured, for the report, and return it."""
    measured[measurement.what] = str(measurement)
    return measurement


def assert_reported(measurement: Measurement, measured: Mapping[str, str]) -> None:
    """Assert that a measurement is among what was measured."""
    if measured.get(measurement.what) != str(measurement):
        raise PromiseBroken(f"{measurement.what}: {measurement}", measured)


@dataclass(frozen=True)
class BatchSpeedup:
    """How many seconds so many calls took for one thing each, and one call for as many."""

    work: str
    count: int
    single: float
    batch: float

    @property
    def what(self) -> str:
        """What was measured."""
        return f"a batch of {self.count} {self.work}"

    @property
    def gain(self) -> float:
        """How many times faster the batch was."""
        return self.single / self.batch

    def __str__(self) -> str:
        return (
            f"{self.gain:.1f} times as fast as single ones ({self.batch:.3f} s against {self.single:.3f} s)"
        )


def batch_additions(collection: Collection, count: int) -> BatchSpeedup:
    """Add so many new records one by one, and as many others in one call; of a few such calls the fastest counts."""
    there = collection.count()
    records = samples.records(there + (1 + _BATCHES) * count)[there:]
    batches = [records[first : first + count] for first in range(count, len(records), count)]

    def one_by_one() -> None:
        for record in records[:count]:
            calls.add(collection, [record])

    single = _timed(one_by_one)
    fastest = min(_timed(partial(calls.add, collection, batch)) for batch in batches)
    return BatchSpeedup("additions", count, single, fastest)


def batch_questions(collection: Collection, count: int) -> BatchSpeedup:
    """Ask so many questions one by one, and the same ones in one call; of a few such calls the fastest counts."""
    vectors = _questions(count)
    single = _timed(lambda: [calls.ask(collection, [vector], _NEAREST) for vector in vectors])
    ask = partial(calls.ask, collection, vectors, _NEAREST)
    return BatchSpeedup("queries", count, single, min(_timed(ask) for _ in range(_BATCHES)))


BATCHES: Final[Mapping[str, Callable[[Collection, int], BatchSpeedup]]] = {
    "additions": batch_additions,
    "queries": batch_questions,
}


def assert_batch_wins(speedup: BatchSpeedup) -> None:
    """Assert that a batch is clearly faster than as many single calls."""
    if speedup.gain < _GAIN:
        raise PromiseBroken(f"{speedup.what} is at least {_GAIN:g} times as fast", speedup)


@dataclass(frozen=True)
class Latency:
    """How many seconds an answer took, usually and at the most, in a collection of so many records."""

    records: int
    median: float
    slowest: float

    @property
    def what(self) -> str:
        """What was measured."""
        return f"an answer from {self.records} records"

    def __str__(self) -> str:
        return f"{self.median * 1000:.1f} ms usually, {self.slowest * 1000:.1f} ms at the most"


def latency(collection: Collection, count: int) -> Latency:
    """Ask so many questions one after the other, and return how long the answers took."""
    questions = _questions(count)
    # The first question brings the index to memory.
    calls.ask(collection, questions[:1], _NEAREST)
    seconds = [_timed(lambda: calls.ask(collection, [vector], _NEAREST)) for vector in questions]  # noqa: B023 - called at once
    return Latency(collection.count(), statistics.median(seconds), max(seconds))


@dataclass(frozen=True)
class RecordMemory:
    """By how many bytes the memory of Chroma's container grew for so many records of so many dimensions."""

    count: int
    dimension: int
    grown: int

    @property
    def what(self) -> str:
        """What was measured."""
        return f"memory of a record of {self.dimension} dimensions"

    @property
    def vector(self) -> int:
        """Bytes of a record's vector alone."""
        return self.dimension * _COMPONENT

    @property
    def record(self) -> float:
        """Bytes of a record, all in all."""
        return self.grown / self.count

    def __str__(self) -> str:
        return f"{self.record:.0f} bytes, {self.record / self.vector:.1f} times its vector ({self.count} records)"


def measure_record_memory(live: Live, collection: Collection, count: int, dimension: int) -> RecordMemory:
    """Add so many records, ask for one, which brings the index to memory, and return what they weigh there.

    Raises a LookupError where the container's memory cannot be read.
    """
    vectors = _vectors(dimension)
    # The first write and the first question set up what stays, however many records follow.
    _add(collection, "first", [next(vectors)])
    calls.ask(collection, [next(vectors)], 1)
    before = resident(live)
    for start in range(0, count, _BATCH):
        _add(collection, f"from-{start}", [next(vectors) for _ in range(min(_BATCH, count - start))])
    calls.ask(collection, [next(vectors)], 1)
    return RecordMemory(count, dimension, resident(live) - before)


def assert_record_memory_is_in_bounds(record_memory: RecordMemory) -> None:
    """Assert that a record weighs in memory what its vector does, and not very much more."""
    if not (record_memory.vector <= record_memory.record <= _HEAVIEST * record_memory.vector):
        raise PromiseBroken(
            f"a record weighs between 1 and {_HEAVIEST} times its vector of {record_memory.vector} bytes",
            record_memory,
        )


def _add(collection: Collection, prefix: str, vectors: Sequence[Vector]) -> None:
    calls.add(collection, [Record(f"{prefix}-{number}", vector) for number, vector in enumerate(vectors)])


def _questions(count: int) -> list[Vector]:
    return [record.vector for record in samples.records(count)]


def _vectors(dimension: int) -> Iterator[Vector]:
    """Make vectors without an end, always the same ones."""
    draw = random.Random(dimension)  # noqa: S311 - the same numbers every time, no secret
    while True:
        # Parts of 512 are exact in float32.
        yield tuple(draw.randrange(-512, 512) / 512 for _ in range(dimension))


def _timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work of this thread takes, but for those in which it keeps to the budget of the run."""
    began, waited = time.perf_counter(), restraint().waited
    work()
    return time.perf_counter() - began - (restraint().waited - waited)


# Seconds: some twenty times what an answer takes through the whole way on the embedded cluster.
SLOW: Final = 0.1


class SlowQuestions(UserWarning):
    """Questions are answered, but slowly; the text says how slowly, and what to do."""


def warn(measured: Latency, limit: float = SLOW) -> None:
    """Warn if answers usually take longer than a number of seconds; one slow answer is bad luck."""
    if measured.median > limit:
        message = (
            f"{measured.what} takes {measured}; slow is what usually takes more than {limit * 1000:g} ms"
        )
        warnings.warn(str(Finding(Trouble.SLOW, message)), SlowQuestions, stacklevel=2)


def assert_warning_is_complete(measured: Latency) -> None:
    """Assert that of a pace that counts as slow, as any does by a limit of nothing, the time and the remedy are reported."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn(measured, limit=0)
    messages = [str(one.message) for one in caught if one.category is SlowQuestions]
    assert len(messages) == 1, f"no warning of {measured.what}: {measured}"
    assert str(measured) in messages[0], f"a warning without the time: {messages[0]}"
    assert "fewer records" in messages[0], f"a warning without a remedy: {messages[0]}"
