"""What "any" means: small records, questions, filters and histories of writes, each valid by construction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy, composite

from support.chroma.types import (
    EVERYTHING,
    Filters,
    Metadata,
    Record,
    RecordChange,
    Scalar,
    Vector,
    Write,
    WriteKind,
)
from support.laws import filters
from support.laws.filters import Found

MAX_RECORDS: Final = 50
# hnswlib computes one component after the other, four at once, and four at once with a remainder.
DIMENSIONS: Final = (1, 3, 4, 7)

# Chroma stores integers as SQLite does.
_I64: Final = (-(2**63), 2**63 - 1)

# Few ids, so that writes often meet the same one.
_IDS: Final = ("a", "b", "c", "d", "e")


def register_profiles() -> None:
    """Register how hard laws are tried: `dev` for every change, `ci` as a gate, `soak` overnight."""
    # A failure is shown once and small; the lines that it alone ran are in our code, not in Chroma's.
    common = settings(
        deadline=None,
        print_blob=True,
        report_multiple_bugs=False,
        phases=[phase for phase in Phase if phase is not Phase.explain],
    )
    settings.register_profile("dev", common, max_examples=20)
    # A gate must judge the same release the same way twice.
    settings.register_profile("ci", common, max_examples=100, derandomize=True)
    settings.register_profile("soak", common, max_examples=1000)


@dataclass(frozen=True)
class Trial:
    """A collection's records and a question about them, asked once through each of the filters."""

    records: tuple[Record, ...]
    vector: Vector
    count: int
    filters: tuple[Filters, ...] = (EVERYTHING,)

    @property
    def dimension(self) -> int:
        """The number of components of each vector."""
        return len(self.vector)

    def record(self, name: str) -> Record:
        """Return the record of an id; raises `KeyError`."""
        return {record.id: record for record in self.records}[name]


@dataclass(frozen=True)
class History:
    """Writes that follow each other, with vectors of one dimension."""

    dimension: int
    writes: tuple[Write, ...]


# Quarters meet each other and make ties; other components are far enough from zero for float32 to square them.
_COMPONENTS: Final = st.one_of(
    st.sampled_from([number / 4 for number in (0, *range(1, 9), *range(-1, -9, -1))]),
    st.floats(2.0**-10, 128, width=32),
    st.floats(-128, -(2.0**-10), width=32),
)


def vectors(dimension: int) -> SearchStrategy[Vector]:
    """Any vector of a dimension, the zero vector too."""
    return st.tuples(*[_COMPONENTS] * dimension)


def texts(min_size: int = 0) -> SearchStrategy[str]:
    """Any text that UTF-8 can say."""
    return st.text(st.characters(codec="utf-8"), min_size=min_size, max_size=20)


@composite
def trials(draw: DrawFn, min_records: int = 0, dimensions: Sequence[int] = DIMENSIONS) -> Trial:
    """Any records, and any question about them: a stored vector or another, for all records."""
    dimension = draw(st.sampled_from(dimensions))
    rows = draw(st.lists(_contents(dimension), min_size=min_records, max_size=MAX_RECORDS))
    records = tuple(Record(f"record-{number}", *row) for number, row in enumerate(rows))
    stored = [st.sampled_from([record.vector for record in records])] if records else []
    return Trial(records, draw(st.one_of(*stored, vectors(dimension))), len(records))


@composite
def filtered_trials(draw: DrawFn, found: Found) -> Trial:
    """Any records, and any question about them for all that pass, through any filters of a kind."""
    # Few records leave little to hide, and many dimensions tell nothing of filters.
    trial = draw(trials(min_records=3, dimensions=(1,)))
    return replace(trial, filters=draw(found(trial.records)))


@composite
def counted_trials(draw: DrawFn) -> Trial:
    """Any records, and a question for fewer than there are, for all, or for more."""
    trial = draw(trials())
    return replace(trial, count=draw(st.integers(1, len(trial.records) + 3)))


@composite
def arbitrary_trials(draw: DrawFn) -> Trial:
    """Any records of anything that a column can hold."""
    vector = draw(st.sampled_from(DIMENSIONS).flatmap(vectors))
    scalars: SearchStrategy[Scalar] = st.one_of(
        st.integers(*_I64),
        st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False),
        st.booleans(),
        texts(),
    )
    # Keys that begin with # or $ are Chroma's own.
    keys = st.tuples(st.sampled_from("aZ_é苔 "), texts()).map("".join)
    row = st.builds(
        Record,
        id=texts(min_size=1),
        vector=vectors(len(vector)),
        document=st.none() | texts(),
        metadata=st.none() | st.dictionaries(keys, scalars, min_size=1, max_size=5),
    )
    records = draw(st.lists(row, max_size=MAX_RECORDS, unique_by=lambda record: record.id))
    return Trial(tuple(records), vector, len(records))


@composite
def histories(draw: DrawFn) -> History:
    """Any writes that often meet the same ids."""
    dimension = DIMENSIONS[1]
    return History(dimension, tuple(draw(st.lists(_writes(dimension), min_size=1, max_size=8))))


def _contents(dimension: int) -> SearchStrategy[tuple[Vector, str | None, Metadata | None]]:
    return st.tuples(vectors(dimension), filters.documents(), filters.metadatas())


def _writes(dimension: int) -> SearchStrategy[Write]:
    # A value of None takes its key away.
    changed_metadata = st.none() | st.dictionaries(
        st.sampled_from(filters.KEYS), st.none() | filters.SCALARS, min_size=1
    )
    whole = {"vector": vectors(dimension), "document": filters.documents()}
    return st.one_of(
        _write("add", **whole, metadata=filters.metadatas()),
        _write("upsert", **whole, metadata=changed_metadata),
        # The client embeds a document that comes without a vector, which is nobody's promise here.
        _write("update", **whole, metadata=changed_metadata),
        _write("update", metadata=changed_metadata),
        _write("delete"),
    )


@composite
def _write(draw: DrawFn, /, kind: WriteKind, **columns: SearchStrategy[Any]) -> Write:
    ids = draw(st.lists(st.sampled_from(_IDS), min_size=1, max_size=3, unique=True))
    return Write(kind, tuple(draw(st.builds(RecordChange, id=st.just(name), **columns)) for name in ids))


def values_of_variables() -> SearchStrategy[tuple[str, ...]]:
    """Return values as tokens may be: of printable ASCII, and most of them of what some shell takes for its own."""
    special = st.text("'\"$`\\ !#%&*(){}[]<>|;~?^aN0", min_size=1, max_size=24)
    plain = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=24)
    return st.lists(special | plain, min_size=10, max_size=30).map(tuple)
