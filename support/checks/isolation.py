"""Whether anything of a deleted collection turns up elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from support.core.promises import PromiseBroken

if TYPE_CHECKING:
    from support.chroma.client import Collection
    from support.chroma.database import Database

_LIST: Final = "readers"
_WORD: Final = "only-for-them"


def listed(database: Database, count: int) -> Collection:
    """Create a collection of so many records, each with a list in its metadata."""
    collection = database.create("with-lists")
    columns: dict[str, Any] = {"metadatas": [{_LIST: [_WORD, f"reader-{number}"]} for number in range(count)]}
    collection.add(**_records(count), **columns)
    held: Any = collection.get(include=["metadatas"])["metadatas"]
    if [_WORD in (one or {}).get(_LIST, ()) for one in held] != [True] * count:
        raise PromiseBroken(f"{count} records with a list each", held)
    return collection


def replace(database: Database, neighbour: Database, collection: Collection, count: int) -> Collection:
    """Delete a collection, and create one in a neighbour's database with so many records that have no metadata."""
    database.delete(collection.name)
    created = neighbour.create("without-metadata")
    created.add(**_records(count))
    return created


def assert_without_metadata(collection: Collection) -> None:
    """Assert that no record of a collection has metadata."""
    held: Any = collection.get(include=["metadatas"])
    found = zip(held["ids"], held["metadatas"] or [None] * len(held["ids"]), strict=True)
    if strange := {one: metadata for one, metadata in found if metadata}:
        raise PromiseBroken(
            f"no metadata of {len(held['ids'])} records", f"{len(strange)} have some: {strange}"
        )


def assert_not_found(collection: Collection) -> None:
    """Assert that no filter on the lists finds a record of a collection."""
    conditions: Any = {_LIST: {"$contains": _WORD}}
    if found := collection.get(where=conditions, include=[])["ids"]:
        raise PromiseBroken("no record that has such a list", f"{len(found)} are found by it: {found}")


def _records(count: int) -> dict[str, Any]:
    numbers = range(count)
    return {
        "ids": [str(number) for number in numbers],
        "embeddings": [[float(number), 1.0] for number in numbers],
    }
