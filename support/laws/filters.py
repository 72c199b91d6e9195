"""What "any filter" means: metadata and documents that filters can meet, and filters that mostly meet them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from support.chroma.types import Filters, Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.chroma.types import Filter, Metadata, Scalar

# Filters about records that are known by then.
Found = Callable[[Sequence[Record]], SearchStrategy[tuple[Filters, ...]]]

# Few keys, few values and few words meet often. Of all keys only "weight" holds fractions, and it holds no integer:
# Chroma 1.5.9 compares an integer with the whole part of a fraction, and finds 1 where 1.5 is asked for.
KEYS: Final = ("colour", "size", "seen")
_FRACTIONS: Final = "weight"
_UNSTORED: Final = "nowhere"
_WORDS: Final = ("moss", "Moss", "mossy", "fern", "1%", "a_b", "é", "苔", 'o"k', "it's")
# What a language of patterns would take for more than itself.
_SIGNS: Final = ("%", "_", "*", '"', "'", " ", "nothing of it")

_WHOLE: Final = st.integers(-1, 2)
_WHOLE_FLOATS: Final = _WHOLE.map(float)
_HALVES: Final = st.integers(-2, 4).map(lambda number: number / 2)
_WORD: Final = st.sampled_from(_WORDS)
SCALARS: Final[SearchStrategy[Any]] = st.one_of(_WHOLE, _WHOLE_FLOATS, st.booleans(), _WORD)

_OTHER_PAIRS: Final = st.tuples(st.sampled_from((*KEYS, _FRACTIONS, _UNSTORED)), SCALARS)
_ALIKE: Final[dict[type, SearchStrategy[Any]]] = {
    bool: st.booleans(),
    int: _WHOLE,
    float: _WHOLE_FLOATS,
    str: _WORD,
}
_ANY_TYPE: Final = ("", "$eq", "$ne", "$in", "$nin")
_NUMBERS: Final = (*_ANY_TYPE, "$gt", "$gte", "$lt", "$lte")
_OPERATORS: Final = {
    kind: st.sampled_from(_NUMBERS if kind in {int, float} else _ANY_TYPE) for kind in _ALIKE
}

# To ask once more costs little beside the collection that is asked.
_MAX_FILTERS: Final = 10


def metadatas() -> SearchStrategy[Metadata | None]:
    """Metadata that filters can meet, or none."""
    values = {**dict.fromkeys(KEYS, SCALARS), _FRACTIONS: st.one_of(_HALVES, st.booleans(), _WORD)}
    return st.fixed_dictionaries({}, optional=values).map(lambda metadata: metadata or None)


def documents() -> SearchStrategy[str | None]:
    """Documents that filters can meet, or none."""
    return st.none() | st.lists(_WORD, max_size=4).map(" ".join)


def on_metadata(records: Sequence[Record]) -> SearchStrategy[tuple[Filters, ...]]:
    """Any filters on the metadata of these records."""
    return _some(st.builds(Filters, metadata=_metadata_filters(records)))


def on_documents(records: Sequence[Record]) -> SearchStrategy[tuple[Filters, ...]]:
    """Any filters on the documents of these records."""
    return _some(st.builds(Filters, document=_document_filters(records)))


def on_both(records: Sequence[Record]) -> SearchStrategy[tuple[Filters, ...]]:
    """Any filters on the metadata and the documents of these records at once."""
    return _some(st.builds(Filters, metadata=_metadata_filters(records), document=_document_filters(records)))


def _some(filters: SearchStrategy[Filters]) -> SearchStrategy[tuple[Filters, ...]]:
    return st.lists(filters, min_size=1, max_size=_MAX_FILTERS).map(tuple)


def _metadata_filters(records: Sequence[Record]) -> SearchStrategy[Filter]:
    stored = [pair for record in records for pair in _pairs(record.metadata or {})]
    return _joined(_condition(_mostly(stored, _OTHER_PAIRS)))


def _pairs(metadata: Metadata) -> Iterable[tuple[str, Scalar]]:
    """Yield each key with its value, and with the same number of the other type."""
    for key, value in metadata.items():
        yield key, value
        if isinstance(value, int | float) and not isinstance(value, bool) and value == int(value):
            yield key, int(value) if isinstance(value, float) else float(value)


@st.composite
def _condition(draw: DrawFn, pairs: SearchStrategy[tuple[str, Scalar]]) -> Filter:
    key, value = draw(pairs)
    operator = draw(_OPERATORS[type(value)])
    if operator in {"$in", "$nin"}:
        # Chroma refuses a choice of values of several types.
        alike = _HALVES if key == _FRACTIONS and isinstance(value, float) else _ALIKE[type(value)]
        others = draw(st.lists(alike, max_size=3))
        place = draw(st.integers(0, len(others)))
        return {key: {operator: [*others[:place], value, *others[place:]]}}
    # A bare value is short for $eq.
    return {key: {operator: value} if operator else value}


def _document_filters(records: Sequence[Record]) -> SearchStrategy[Filter]:
    stored = [record.document for record in records if record.document]
    # Parts of what is stored, across words, and in the other case.
    parts = [
        part
        for document in stored
        for start in range(len(document))
        for piece in (document[start : start + 2], document[start : start + 6])
        for part in (piece, piece.swapcase())
    ]
    part = _mostly(parts, st.sampled_from(_WORDS + _SIGNS))
    return _joined(_said("$contains", part) | _said("$not_contains", part))


def _mostly(stored: Sequence[Any], others: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Choose of what is stored two times of three, if anything is."""
    known = st.sampled_from(stored) if stored else others
    return st.one_of(known, known, others)


def _joined(conditions: SearchStrategy[Filter]) -> SearchStrategy[Filter]:
    """Join conditions or leave them alone, three deep at most."""

    def join(parts: SearchStrategy[Filter]) -> SearchStrategy[Filter]:
        several = st.lists(parts, min_size=2, max_size=3)
        return _said("$and", several) | _said("$or", several)

    return st.one_of(conditions, conditions, join(conditions), join(conditions | join(conditions)))


def _said(operator: str, operands: SearchStrategy[Any]) -> SearchStrategy[Filter]:
    return operands.map(lambda operand: {operator: operand})
