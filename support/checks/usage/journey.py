"""What a user sees who follows a documented example from its first line to its last, and what was promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.checks.usage import corpus
from support.core.promises import PromiseBroken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Journey:
    """What one example has shown; the documents are identified by their texts.

    `kept`: the source of each document that was read back after all had been added. `nearest` and `filtered`: the answers to the
    question, the nearest first, without and with the filter. `left`: what was read back after one document had been
    deleted. `collections`: the names that were listed after the collection itself had been deleted.
    """

    collection: str
    kept: Mapping[str, str]
    nearest: Sequence[str]
    filtered: Sequence[str]
    left: Sequence[str]
    collections: Sequence[str]


def assert_kept(journey: Journey) -> None:
    """Assert that every document was kept, with its metadata, and nothing else."""
    _assert_equal("every document with its source", corpus.sources(), dict(journey.kept))


def assert_nearest_first(journey: Journey) -> None:
    """Assert that the question was answered by the nearest documents, in their order."""
    _assert_equal("the nearest documents, in their order", corpus.answer(), list(journey.nearest))


def assert_filtered(journey: Journey) -> None:
    """Assert that the filter let through the documents of its source alone."""
    _assert_equal(
        f"the documents of {corpus.SOURCE} alone, the nearest first",
        corpus.answer(corpus.SOURCE),
        list(journey.filtered),
    )


def assert_forgotten(journey: Journey) -> None:
    """Assert that the deleted document was gone and no other, and after that the collection itself."""
    _assert_equal("all documents but the deleted one", sorted(corpus.left()), sorted(journey.left))
    if journey.collection in journey.collections:
        raise PromiseBroken("the deleted collection is gone", f"it is listed: {list(journey.collections)}")


def _assert_equal(what: str, promised: Any, seen: Any) -> None:
    if seen != promised:
        raise PromiseBroken(f"{what}: {promised}", seen)
