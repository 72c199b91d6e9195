"""The law of a collection whose server ends again and again: whatever was written in whichever order, it holds what was acknowledged.

Histories are Hypothesis's: a state machine whose rules are writes and ends. The shortest that breaks the law is told, step by step.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from support.chroma import calls, samples
from support.chroma.types import RecordChange, Write
from support.laws.invariants import same_records
from support.laws.oracle import Model
from support.laws.recall import recall_of_stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from support.chroma.client import Collection
    from support.chroma.types import Record, WriteKind

# Vectors as usual embeddings have them, so that an index takes its time to be written.
DIMENSION: Final = 384
# Steps of a history, and how many of them end the server; of the profile's number of cases, one history for so many is tried.
_STEPS: Final = 10
_ENDS: Final = 3
_SHARE: Final = 10
# Questions, the records asked for by each, and the share of the truly nearest that is found: the index is approximate.
_QUESTIONS: Final = 10
_NEAREST: Final = 10
_RECALL: Final = 0.95


class Ends(Protocol):
    """Ends a server, and waits until it answers again."""

    def replace(self) -> None:
        """Let it end as a drained node does it."""

    def kill(self) -> None:
        """Kill it while it does nothing."""

    def kill_while_adding(
        self, collection: Collection, known: int
    ) -> tuple[Sequence[Record], Sequence[Record]]:
        """Kill it while it writes the index of a collection, to which the deterministic records after so many are added.

        Return those that were acknowledged, and those whose addition ended in an error.
        """


class _Survival(RuleBasedStateMachine):
    def __init__(self, collection: Collection, ends: Ends, again: str) -> None:
        super().__init__()
        self._collection, self._ends, self._again = collection, ends, again
        self._model, self._known, self._ended = Model(), 0, 0
        self._steps: list[str] = []

    @rule(count=st.integers(1, 150))
    def add(self, count: int) -> None:
        with self._step(f"{count} records are added"):
            self._write("add", self._new(count))

    @precondition(lambda self: self._model.records)
    @rule(every=st.integers(1, 4))
    def update(self, every: int) -> None:
        with self._step(f"every record of {every} gets the vector of another"):
            held = self._held(every)
            changes = [
                RecordChange(one.id, vector=other.vector)
                for one, other in zip(held, [*held[1:], held[0]], strict=True)
            ]
            self._write("update", changes)

    @precondition(lambda self: self._model.records)
    @rule(every=st.integers(1, 4), count=st.integers(0, 50))
    def upsert(self, every: int, count: int) -> None:
        with self._step(f"every record of {every}, and {count} new ones, are upserted"):
            held = [RecordChange(one.id, one.vector, f"again: {one.document}") for one in self._held(every)]
            self._write("upsert", [*held, *self._new(count)])

    @precondition(lambda self: self._model.records)
    @rule(every=st.integers(1, 4))
    def delete(self, every: int) -> None:
        with self._step(f"every record of {every} is deleted"):
            self._write("delete", [RecordChange(one.id) for one in self._held(every)])

    @precondition(lambda self: self._ended < _ENDS)
    @rule()
    def replace(self) -> None:
        with self._step("the pod is replaced"):
            self._ends.replace()
            self._look()

    @precondition(lambda self: self._ended < _ENDS)
    @rule()
    def kill(self) -> None:
        with self._step("the process is killed"):
            self._ends.kill()
            self._look()

    @precondition(lambda self: self._ended < _ENDS)
    @rule()
    def kill_while_adding(self) -> None:
        with self._step("the process is killed while it writes the index"):
            acknowledged, uncertain = self._ends.kill_while_adding(self._collection, self._known)
            self._known += len(acknowledged) + len(uncertain)
            there = set(self._collection.get(include=[])["ids"])
            for record in (*acknowledged, *(one for one in uncertain if one.id in there)):
                self._model.records[record.id] = record
            self._look()

    def teardown(self) -> None:
        if self._steps:
            with self._telling():
                self._look(ended=False)

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        self._steps.append(what)
        with self._telling():
            yield

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except AssertionError as broken:
            steps = "".join(f"\n  after:   {step}" for step in self._steps)
            raise AssertionError(f"{broken}{steps}\n  again:   {self._again}") from None

    def _look(self, *, ended: bool = True) -> None:
        """Hold the collection against what it must hold, and its answers against the nearest."""
        self._ended += ended
        records = list(self._model.records.values())
        same_records(records, calls.contents(self._collection), "as they were acknowledged")
        if records:
            found = recall_of_stored(self._collection, records, _QUESTIONS, _NEAREST)
            assert found >= _RECALL, (
                f"promised: questions find {_RECALL:.0%} of the nearest\nseen:     {found:.0%}"
            )

    def _held(self, every: int) -> list[Record]:
        return list(self._model.records.values())[::every]

    def _new(self, count: int) -> list[RecordChange]:
        self._known += count
        new = samples.records(self._known, DIMENSION)[self._known - count :]
        return [RecordChange(one.id, one.vector, one.document, one.metadata) for one in new]

    def _write(self, kind: WriteKind, changes: Sequence[RecordChange]) -> None:
        write = Write(kind, tuple(changes))
        calls.write(self._collection, write)
        self._model.write(write)


def acknowledged_survives(new: Callable[[], Collection], ends: Ends, number: int, again: str) -> None:
    """Try histories on new collections, as many as the profile says.

    `number` leads to the same ones each time, and `again` is the command that tries them, with {} for that number. A profile that
    judges the same release the same way twice has a number of its own.
    """
    if settings().derandomize:
        number = 0

    class Survival(_Survival):
        def __init__(self) -> None:
            super().__init__(new(), ends, again.format(number))

    run_state_machine_as_test(
        seed(number)(Survival),
        settings=settings(
            max_examples=max(1, settings().max_examples // _SHARE),
            stateful_step_count=_STEPS,
            deadline=None,
            database=None,
            derandomize=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
