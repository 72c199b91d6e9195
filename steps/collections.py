"""Collections, the records in them, and what becomes of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then, when

from steps.vocabulary import OneOf, parser
from support.checks.collections import invalid
from support.checks.collections import records as collections
from support.chroma import calls, samples
from support.chroma.outcomes import Outcome, expect
from support.chroma.types import Metric
from support.laws import filters, invariants, strategies
from support.laws.invariants import LawRunner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import SearchStrategy

    from support.checks.collections.records import Batch
    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.chroma.types import Record
    from support.laws.strategies import History, Trial
    from support.network.http import Response

parse = parser(
    Flaw=OneOf.itself(invalid.NAMES),
    Nonsense=OneOf.itself(invalid.WRITES),
    Refusal=OneOf({word.value: word for word in Outcome if word is not Outcome.ACCEPTED}),
)


@given("an empty collection", target_fixture="collection")
def empty_collection(database: Database) -> Collection:
    return database.create("collection")


@given(
    parse("an empty collection whose index is written with every {count:d} records"),
    target_fixture="collection",
)
def collection_written_often(database: Database, count: int) -> Collection:
    return database.create("collection", hnsw={"sync_threshold": count, "batch_size": count // 2})


@given("an empty collection whose index takes long to build", target_fixture="collection")
def collection_built_slowly(database: Database) -> Collection:
    return database.create("collection", hnsw={"ef_construction": 1000, "max_neighbors": 64})


@given(parse("a collection of {count:d} records"), target_fixture="collection")
def collection_of_records(database: Database, count: int) -> Collection:
    return database.reuse(records=samples.records(count))


@given(parse("a new collection of {count:d} records"), target_fixture="collection")
def new_collection_of_records(database: Database, count: int) -> Collection:
    return database.create("collection", records=samples.records(count))


@given(parse('a collection "{name:S}" of {count:d} records'), target_fixture="collection")
def named_collection_of_records(database: Database, name: str, count: int) -> Collection:
    return database.create(name, records=samples.records(count))


@given(parse('a deleted collection "{name:S}" of {count:d} records'))
def deleted_collection(database: Database, name: str, count: int) -> None:
    database.create(name, records=samples.records(count))
    database.client.delete_collection(name)


@when(parse('a collection "{name:S}" is created'), target_fixture="response")
def create_collection(database: Database, name: str) -> Response:
    return database.ask("POST", "", {"name": name})


@when(parse("a collection is created under a name {flaw:Flaw}"), target_fixture="response")
def create_under_flawed_name(database: Database, flaw: str) -> Response:
    return invalid.create(database, flaw)


@when(parse('a collection "{name:S}" is got or created with other metadata'), target_fixture="gotten")
def get_or_create_collection(database: Database, name: str) -> Collection:
    return database.client.get_or_create_collection(name, metadata={"other": True}, embedding_function=None)


@when(parse('the collection "{name:S}" is renamed to "{new_name:S}"'))
def rename_collection(database: Database, name: str, new_name: str) -> None:
    database.open(name).modify(name=new_name)


@when(parse('the collection "{name:S}" is deleted'))
def delete_collection(database: Database, name: str) -> None:
    database.client.delete_collection(name)


@when(parse('all records of the collection "{name:S}" are deleted'))
def delete_all_records(database: Database, name: str) -> None:
    calls.clear(database.open(name))


@when(parse("one call adds {count:d} records of {dimension:d} dimensions"), target_fixture="batch")
def add_large_batch(database: Database, collection: Collection, count: int, dimension: int) -> Batch:
    return collections.add_large_batch(database, collection, count, dimension)


@when(parse("{count:d} records are added one by one"), target_fixture="counts")
def add_one_by_one(collection: Collection, count: int) -> list[int]:
    return collections.count_while_adding(collection, count)


@when("other records are added under ids that are there")
def add_under_taken_ids(collection: Collection) -> None:
    collections.add_under_taken_ids(collection)


@when("one of its records and an unknown one are updated", target_fixture="before")
def update_records(collection: Collection) -> list[Record]:
    return collections.change_one(collection, "update")


@when("one of its records and an unknown one are upserted", target_fixture="before")
def upsert_records(collection: Collection) -> list[Record]:
    return collections.change_one(collection, "upsert")


@when(parse("a record is added to it {what:Nonsense}"), target_fixture="response")
def write_nonsense(database: Database, collection: Collection, what: str) -> Response:
    return invalid.write(database, collection, what)


@when("any records are added to an empty collection", target_fixture="cases")
def any_records() -> SearchStrategy[Trial]:
    return strategies.arbitrary_trials()


@when("any records are read through any filter", target_fixture="cases")
def any_reading() -> SearchStrategy[Trial]:
    return strategies.filtered_trials(filters.on_both)


@when("any records are deleted through any filter", target_fixture="cases")
def any_deletion() -> SearchStrategy[Trial]:
    return strategies.filtered_trials(filters.on_both)


@when("any writes are done one after the other", target_fixture="cases")
def any_writes() -> SearchStrategy[History]:
    return strategies.histories()


@then("there is no collection")
def no_collection_is_there(database: Database) -> None:
    collections.assert_collections(database)


@then(parse('the only collection is "{name:S}"'))
def collection_is_only_one(database: Database, name: str) -> None:
    collections.assert_collections(database, name)


@then(parse('the collection "{name:S}" is unknown'))
def collection_is_unknown(database: Database, name: str) -> None:
    expect(Outcome.UNKNOWN, database.ask("GET", f"/{name}"))


@then(parse('the collection "{name:S}" holds {count:d} records'))
def collection_holds_records(database: Database, name: str, count: int) -> None:
    invariants.same_records(samples.records(count), calls.contents(database.open(name)))


@then("the collection and its metadata are the old ones")
def collection_is_old_one(gotten: Collection, collection: Collection) -> None:
    collections.assert_same_collection(gotten, collection)


@then(parse("it is refused as {refusal:Refusal}"))
def it_is_refused(response: Response, refusal: Outcome) -> None:
    expect(refusal, response)


@then("they are read back, all of them")
def batch_is_taken_whole(collection: Collection, batch: Batch) -> None:
    collections.assert_taken_whole(collection, batch)


@then("the count was right after each")
def counts_are_right(counts: list[int]) -> None:
    collections.assert_counted(counts)


@then("that record is changed, and nothing is added")
def record_is_updated(collection: Collection, before: Sequence[Record]) -> None:
    collections.assert_one_is_updated(collection, before)


@then("that record is changed, and the other one is added")
def record_is_upserted(collection: Collection, before: Sequence[Record]) -> None:
    collections.assert_one_is_upserted(collection, before)


@then("they are read back as they were added")
def records_are_read_back(database: Database, cases: SearchStrategy[Trial]) -> None:
    LawRunner(database, Metric.L2).try_law(invariants.records_read_back, cases)


@then("the matching records are read and no others")
def matching_records_are_read(database: Database, cases: SearchStrategy[Trial]) -> None:
    LawRunner(database, Metric.L2).try_law(invariants.filter_reads_what_matches, cases)


@then("only the other records are left")
def others_are_there(database: Database, cases: SearchStrategy[Trial]) -> None:
    LawRunner(database, Metric.L2).try_law(invariants.filter_deletes_what_matches, cases)


@then("the collection holds the result of all writes")
def writes_add_up(database: Database, cases: SearchStrategy[History]) -> None:
    LawRunner(database, Metric.L2).try_law(invariants.writes_add_up, cases)
