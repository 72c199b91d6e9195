"""What "any" means: small records, questions, filters and histories of writes, each valid by construction."""

from dataclasses import dataclass
from typing import Any, Final

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy, composite

from support.model import (
    EVERYTHING,
    Change,
    Filter,
    Filters,
    Metadata,
    Record,
    Scalar,
    Vector,
    Write,
    WriteKind,
)

MAX_RECORDS: Final = 50
MAX_DIMENSION: Final = 8

# Chroma stores integers as SQLite does.
_I64: Final = (-(2**63), 2**63 - 1)

# Few keys, few values and few words, so that filters often meet what is stored. Under "weight" no integer is stored,
# so that a filter may name a fraction there: Chroma 1.5.9 compares an integer with the whole part of a fraction, and
# finds 1 where 1.5 is asked for.
_KEYS: Final = ("colour", "size", "seen")
_FRACTION_KEY: Final = "weight"
_UNSTORED_KEY: Final = "nowhere"
_WORDS: Final = ("moss", "Moss", "mossy", "fern", "1%", "a_b", "é", "苔", 'o"k', "it's")
# Parts of those words, and what a pattern language would take for more than itself.
_PARTS: Final = (*_WORDS, "m", "os", "oss f", "%", "_", "*", '"', "'", " ", "nothing of it")


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
    """A collection's records and one question about them."""

    records: tuple[Record, ...]
    vector: Vector
    count: int
    filters: Filters = EVERYTHING

    def record(self, name: str) -> Record:
        """Return the record of an id; raises `KeyError`."""
        return {record.id: record for record in self.records}[name]


_NO_FILTER: Final[SearchStrategy[Filter | None]] = st.none()
_ALL_PASS: Final = st.just(EVERYTHING)

# Quarters meet each other and make ties; other components are far enough from zero for float32 to square them.
_COMPONENTS: Final = st.integers(-8, 8).map(lambda number: number / 4) | st.floats(
    2.0**-10, 128, width=32
).flatmap(lambda size: st.sampled_from((size, -size)))


def vectors(dimension: int) -> SearchStrategy[Vector]:
    """Any vector of a dimension, the zero vector too."""
    return st.tuples(*[_COMPONENTS] * dimension)


def texts(min_size: int = 0) -> SearchStrategy[str]:
    """Any text that UTF-8 can say."""
    return st.text(st.characters(codec="utf-8"), min_size=min_size, max_size=20)


_WHOLE: Final = st.integers(-2, 3)
_WHOLE_FLOATS: Final = _WHOLE.map(float)
_HALVES: Final = st.integers(-4, 6).map(lambda number: number / 2)
_OTHERS: Final[tuple[SearchStrategy[Any], ...]] = (st.booleans(), st.sampled_from(_WORDS))


def metadatas() -> SearchStrategy[Metadata | None]:
    """Metadata that filters can meet, or none."""
    values = dict.fromkeys(_KEYS, st.one_of(_WHOLE, _HALVES, *_OTHERS))
    values[_FRACTION_KEY] = st.one_of(_HALVES, *_OTHERS)
    return st.fixed_dictionaries({}, optional=values).map(lambda metadata: metadata or None)


def documents() -> SearchStrategy[str | None]:
    """Documents that filters can meet, or none."""
    return st.none() | st.lists(st.sampled_from(_WORDS), max_size=4).map(" ".join)


def metadata_filters() -> SearchStrategy[Filter]:
    """Any filter on metadata: a condition, or conditions joined, three deep at most."""
    return _joined(_conditions())


def document_filters() -> SearchStrategy[Filter]:
    """Any filter on documents: a part or its absence, or such joined."""
    return _joined(_pair(("$contains", "$not_contains"), st.sampled_from(_PARTS)))


def filters(
    metadata: SearchStrategy[Filter | None] = _NO_FILTER, document: SearchStrategy[Filter | None] = _NO_FILTER
) -> SearchStrategy[Filters]:
    """Any filters of these kinds; a kind left out lets everything pass."""
    return st.builds(Filters, metadata=metadata, document=document)


def any_filters() -> SearchStrategy[Filters]:
    """Any filters on metadata and documents at once."""
    return filters(metadata_filters(), document_filters())


@composite
def trials(draw: DrawFn, filtered: SearchStrategy[Filters] = _ALL_PASS, *, min_records: int = 0) -> Trial:
    """Any records, and any question about them: a stored vector or another, for all records."""
    dimension = draw(st.integers(1, MAX_DIMENSION))
    rows = draw(st.lists(_contents(dimension), min_size=min_records, max_size=MAX_RECORDS))
    records = tuple(Record(f"record-{number}", *row) for number, row in enumerate(rows))
    stored = [st.sampled_from([record.vector for record in records])] if records else []
    return Trial(
        records,
        draw(st.one_of(*stored, vectors(dimension))),
        len(records),
        draw(filtered),
    )


@composite
def counted_trials(draw: DrawFn) -> Trial:
    """Any records, and a question for fewer than there are, for all, or for more."""
    trial = draw(trials())
    return Trial(trial.records, trial.vector, draw(st.integers(1, len(trial.records) + 3)))


@composite
def arbitrary_records(draw: DrawFn) -> tuple[Record, ...]:
    """Any records of anything that a column can hold."""
    dimension = draw(st.integers(1, MAX_DIMENSION))
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
        vector=vectors(dimension),
        document=st.none() | texts(),
        metadata=st.none() | st.dictionaries(keys, scalars, min_size=1, max_size=5),
    )
    return tuple(draw(st.lists(row, max_size=MAX_RECORDS, unique_by=lambda record: record.id)))


@composite
def histories(draw: DrawFn) -> tuple[Write, ...]:
    """Any writes that often meet the same ids."""
    dimension = draw(st.integers(1, MAX_DIMENSION))
    return tuple(draw(st.lists(_writes(dimension), min_size=1, max_size=8)))


def _contents(dimension: int) -> SearchStrategy[tuple[Vector, str | None, Metadata | None]]:
    return st.tuples(vectors(dimension), documents(), metadatas())


def _joined(conditions: SearchStrategy[Filter]) -> SearchStrategy[Filter]:
    def join(parts: SearchStrategy[Filter]) -> SearchStrategy[Filter]:
        return _pair(("$and", "$or"), st.lists(parts, min_size=2, max_size=3))

    return conditions | join(conditions) | join(conditions | join(conditions))


def _conditions() -> SearchStrategy[Filter]:
    return _condition((*_KEYS, _UNSTORED_KEY), (_WHOLE, _WHOLE_FLOATS)) | _condition(
        (_FRACTION_KEY,), (_WHOLE, _HALVES)
    )


def _condition(keys: tuple[str, ...], numbers: tuple[SearchStrategy[Any], ...]) -> SearchStrategy[Filter]:
    values = (*numbers, *_OTHERS)
    operations = st.one_of(
        # A bare value is short for $eq.
        *values,
        *(_pair(("$eq", "$ne"), value) for value in values),
        *(_pair(("$gt", "$gte", "$lt", "$lte"), number) for number in numbers),
        # The values of one choice are of one type: Chroma refuses 1 beside 1.5.
        *(_pair(("$in", "$nin"), st.lists(value, min_size=1, max_size=3)) for value in values),
    )
    return _pair(keys, operations)


def _pair(keys: tuple[str, ...], values: SearchStrategy[Any]) -> SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(keys), values, min_size=1, max_size=1)


def _writes(dimension: int) -> SearchStrategy[Write]:
    # A value of None takes its key away.
    changed_metadata = st.none() | st.dictionaries(
        st.sampled_from(_KEYS), st.one_of(st.none(), _WHOLE, _HALVES, *_OTHERS), min_size=1
    )
    whole = {"vector": vectors(dimension), "document": documents()}
    return st.one_of(
        _write("add", **whole, metadata=metadatas()),
        _write("upsert", **whole, metadata=changed_metadata),
        # The client embeds a document that comes without a vector, which is nobody's promise here.
        _write("update", **whole, metadata=changed_metadata),
        _write("update", metadata=changed_metadata),
        _write("delete"),
    )


@composite
def _write(draw: DrawFn, /, kind: WriteKind, **columns: SearchStrategy[Any]) -> Write:
    ids = draw(st.lists(st.sampled_from(_IDS), min_size=1, max_size=3, unique=True))
    return Write(kind, tuple(draw(st.builds(Change, id=st.just(name), **columns)) for name in ids))
