"""What is left of a deleted collection, in another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then, when
from pytest_bdd.parsers import parse

from support.checks import isolation

if TYPE_CHECKING:
    from support.chroma.client import Collection
    from support.chroma.database import Database


@given(parse("a collection of {count:d} records with lists in their metadata"), target_fixture="collection")
def collection_with_lists(database: Database, count: int) -> Collection:
    return isolation.listed(database, count)


@when(
    parse(
        "it is deleted, and {count:d} records without metadata are added to a collection of another database"
    ),
    target_fixture="newcomer",
)
def replace_collection(
    database: Database, neighbour: Database, collection: Collection, count: int
) -> Collection:
    return isolation.replace(database, neighbour, collection, count)


@then("the new records have no metadata")
def have_no_metadata(newcomer: Collection) -> None:
    isolation.assert_without_metadata(newcomer)


@then("no filter on such a list finds one of them")
def are_not_found(newcomer: Collection) -> None:
    isolation.assert_not_found(newcomer)
