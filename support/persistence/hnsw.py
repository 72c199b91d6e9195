"""A vector index as it lies on disk: the four files of hnswlib, and Chroma's list of the ids in it.

The layout is that of Chroma's fork of hnswlib (`hnswalg.h`, persistence version 1) and of `local_hnsw.rs`, tag 1.5.9;
0.5.23 writes the same files, and the list of ids as an object of a class of its own.
"""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from support.core.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HEADER: Final = "header.bin"
# The lengths that vectors had before they were normalised, float32; without a meaning for metrics other than cosine.
LENGTHS: Final = "length.bin"
LEVEL_0: Final = "data_level0.bin"
LINKS: Final = "link_lists.bin"
# Written last, whenever an index is persisted; where there is none, the index never was.
IDS: Final = "index_metadata.pickle"

_VERSION: Final = 1
_HEADER: Final = struct.Struct("<iQQQQQQiIQQQdQ")
# Of the word before a list of links: how many there are, and at level 0 whether the element is deleted.
_COUNT: Final = 0xFFFF
_DELETED: Final = 0x10000
# Elements that are looked at together: what they need of memory does not grow with the index.
_AT_ONCE: Final = 65_536
# The one class that a list of ids may name.
_PERSISTENT_DATA: Final = ("chromadb.segment.impl.vector.local_persistent_hnsw", "PersistentData")


class TornError(SuiteError):
    """An index that cannot be read, or does not fit together; the text says where."""


class Header(NamedTuple):
    """What `header.bin` says: sizes and offsets in bytes, the others are numbers of elements, levels or links."""

    version: int
    level_0_offset: int
    capacity: int
    elements: int
    element_size: int
    label_offset: int
    vector_offset: int
    max_level: int
    entry_point: int
    max_links: int
    max_links_at_level_0: int
    m: int
    level_factor: float
    ef_construction: int

    @classmethod
    def read(cls, file: Path) -> Header:
        """Read it; raises `TornError` where it breaks off or does not fit itself."""
        content = _bytes(file)
        if len(content) < _HEADER.size:
            raise TornError(f"{HEADER} breaks off")
        header = cls(*_HEADER.unpack_from(content))
        if header.version != _VERSION:
            raise TornError(f"{HEADER} has version {header.version}, not {_VERSION}")
        if (
            header.level_0_offset != 0
            or header.vector_offset != 4 + 4 * header.max_links_at_level_0
            or header.label_offset < header.vector_offset
            or header.element_size != header.label_offset + 8
            or header.elements > header.capacity
        ):
            raise TornError(f"the sizes in {HEADER} do not fit each other")
        return header

    @property
    def dimension(self) -> int:
        """The number of components of a vector."""
        return (self.label_offset - self.vector_offset) // 4


@dataclass(frozen=True)
class Index:
    """The index of one collection, in the directory that is named by its segment's id."""

    directory: Path
    header: Header

    @classmethod
    def read(cls, directory: Path) -> Index:
        """Read what describes it; raises `TornError`."""
        return cls(directory, Header.read(directory / HEADER))

    @property
    def lists_ids(self) -> bool:
        """Whether it was ever persisted to the end."""
        return (self.directory / IDS).exists()

    @cached_property
    def labels(self) -> Mapping[str, int]:
        """The label of each id that is in the index; raises `TornError` where the list of ids does not load."""
        with _opened(self.directory / IDS) as file:
            try:
                loaded = _Unpickler(file).load()
            except (pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError) as error:
                raise TornError(f"{IDS} breaks off: {error}") from None
        fields = loaded if isinstance(loaded, dict) else vars(loaded)
        labels, ids = fields.get("id_to_label"), fields.get("label_to_id")
        if not isinstance(labels, dict) or not isinstance(ids, dict):
            raise TornError(f"{IDS} lists no ids")
        if {label: one for one, label in labels.items()} != ids:
            raise TornError(f"the two lists in {IDS} do not fit each other")
        return labels

    @cached_property
    def level_0(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The elements, a row each: links, vector, label. Raises `TornError` where some are missing."""
        count, size = self.header.elements, self.header.element_size
        file = self.directory / LEVEL_0
        if _size(file) < count * size:
            raise TornError(f"{HEADER} tells of {count} elements, for which {LEVEL_0} is too short")
        if not count:
            return np.empty((0, size), np.uint8)
        return np.memmap(file, np.uint8, "r", shape=(count, size))

    def vectors(self, *, normalised: bool) -> Iterator[tuple[int, bytes]]:
        """Yield the label and the vector (float32, little-endian) of each element that is not deleted.

        An index of cosine has them `normalised`, and their lengths beside them. Raises `TornError` where elements are
        missing; what they hold is not looked at.
        """
        header = self.header
        lengths = np.fromfile(self.directory / LENGTHS, "<f4", header.elements) if normalised else None
        for begin, rows in self._chunks():
            words, labels = _words(rows[:, :4])[:, 0], _labels(rows, header)
            vectors = _vectors(rows, header)
            if lengths is not None:
                vectors = vectors * lengths[begin : begin + len(rows), None]
            for vector, word, label in zip(vectors, words.tolist(), labels.tolist(), strict=True):
                if not word & _DELETED:
                    yield label, vector.tobytes()

    def check(self) -> None:
        """Walk through the whole of it; raises `TornError` that says what does not fit."""
        if missing := [name for name in (LENGTHS, LEVEL_0, LINKS) if not (self.directory / name).exists()]:
            raise TornError(f"{', '.join(missing)} is missing")
        if _size(self.directory / LENGTHS) < 4 * self.header.elements:
            raise TornError(f"{LENGTHS} is too short for {self.header.elements} elements")
        live = self._check_level_0()
        if live != set(self.labels.values()):
            odd = len(live ^ set(self.labels.values()))
            raise TornError(f"{LEVEL_0} and {IDS} do not have the same elements: {odd} differ")
        self._check_links()

    def _check_level_0(self) -> set[int]:
        """Return the labels of the elements that are not deleted."""
        header, live = self.header, set[int]()
        labels = np.empty(header.elements, np.uint64)
        for begin, rows in self._chunks():
            words = _words(rows[:, : header.vector_offset])
            labels[begin : begin + len(rows)] = some = _labels(rows, header)
            _check_neighbours(words, header.max_links_at_level_0, header.elements, LEVEL_0)
            live.update(some[words[:, 0] & _DELETED == 0].tolist())
            if not np.isfinite(_vectors(rows, header)).all():
                raise TornError(f"{LEVEL_0} has a vector that holds no number")
        if not labels.all() or len(np.unique(labels)) != len(labels):
            raise TornError(f"{LEVEL_0} has an element of no label, or two of one")
        return live

    def _check_links(self) -> None:
        """Walk through the links above level 0: exactly to the end, and to elements that have the level."""
        header, file = self.header, self.directory / LINKS
        words_each = 1 + header.max_links
        if _size(file) % 4:
            raise TornError(f"{LINKS} breaks off")
        words = np.fromfile(file, "<u4")
        levels, starts = self._levels(words, words_each)
        if header.elements and (
            header.entry_point >= header.elements or levels[header.entry_point] != header.max_level
        ):
            raise TornError(f"{HEADER} begins at an element that has not the highest level")
        if (levels > max(header.max_level, 0)).any():
            raise TornError(f"{LINKS} has a level above the highest")
        # The lists of an element stand one after the other, from level 1 upwards.
        at_level = np.arange(int(levels.sum())) - np.repeat(np.cumsum(levels) - levels, levels)
        begins = np.repeat(starts, levels) + at_level * words_each
        lists = words[begins[:, None] + np.arange(words_each)]
        _check_neighbours(lists, header.max_links, header.elements, LINKS)
        there = np.arange(header.max_links) < (lists[:, :1] & _COUNT)
        if (there & (levels[np.where(there, lists[:, 1:], 0)] <= at_level[:, None])).any():
            raise TornError(f"{LINKS} leads to an element that is not at its level")

    def _levels(
        self, words: np.ndarray[Any, np.dtype[np.uint32]], words_each: int
    ) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.int64]]]:
        """Return the highest level of each element, and the word at which its links begin."""
        levels, starts, at, end, word = [], [], 0, len(words), memoryview(words.data)
        for _ in range(self.header.elements):
            if at >= end:
                raise TornError(f"{LINKS} breaks off")
            level, odd = divmod(word[at], 4 * words_each)
            if odd:
                raise TornError(f"{LINKS} has a length that no element can have")
            levels.append(level)
            starts.append(at + 1)
            at += 1 + level * words_each
        if at != end:
            raise TornError(f"{LINKS} does not end with its last element")
        return np.array(levels, np.int64), np.array(starts, np.int64)

    def _chunks(self) -> Iterator[tuple[int, np.ndarray[Any, np.dtype[np.uint8]]]]:
        """Yield the elements piece by piece, each with the number of its first one."""
        for begin in range(0, self.header.elements, _AT_ONCE):
            yield begin, self.level_0[begin : begin + _AT_ONCE]


class _Unpickler(pickle.Unpickler):
    """Loads plain data alone: a pickle may hold any program."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == _PERSISTENT_DATA:
            return _PersistentData
        raise pickle.UnpicklingError(f"it names {module}.{name}")


class _PersistentData:
    """Stands for the class in which 0.5.23 keeps its list of ids."""


def _check_neighbours(words: np.ndarray[Any, np.dtype[np.uint32]], most: int, count: int, where: str) -> None:
    """Look whether lists of links, each after its number, name elements that there are."""
    numbers = words[:, :1] & _COUNT
    if (numbers > most).any():
        raise TornError(f"{where} has more links than an element can have")
    if ((np.arange(most) < numbers) & (words[:, 1:] >= count)).any():
        raise TornError(f"{where} leads to an element that there is not")


def _words(rows: np.ndarray[Any, np.dtype[np.uint8]]) -> np.ndarray[Any, np.dtype[np.uint32]]:
    return np.ascontiguousarray(rows).view("<u4")


def _labels(
    rows: np.ndarray[Any, np.dtype[np.uint8]], header: Header
) -> np.ndarray[Any, np.dtype[np.uint64]]:
    return np.ascontiguousarray(rows[:, header.label_offset :]).view("<u8")[:, 0]


def _vectors(
    rows: np.ndarray[Any, np.dtype[np.uint8]], header: Header
) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.ascontiguousarray(rows[:, header.vector_offset : header.label_offset]).view("<f4")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        raise TornError(f"{file.name} is missing") from None


def _bytes(file: Path) -> bytes:
    with _opened(file) as opened:
        return opened.read()


def _opened(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except FileNotFoundError:
        raise TornError(f"{file.name} is missing") from None
