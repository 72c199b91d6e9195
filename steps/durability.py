"""What happens to the pod and to Chroma's process, and what of the records is there afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_bdd import given, then, when
from pytest_bdd.parsers import parse

from support.checks.durability import ends, histories, records, torn
from support.checks.durability.ends import Scene

if TYPE_CHECKING:
    from support.checks.durability.records import Search
    from support.checks.durability.writing import WriteLog
    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.chroma.reachable import Reachable
    from support.core.wait import Deadlines
    from support.deploy.keeping import Keeping
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.kube.client import Kube
    from support.network.way import Routes
    from support.session.run import Run


@pytest.fixture
def scene(platform_kube: Kube, home: Namespace, live: Live, deadlines: Deadlines, run_id: str) -> Scene:
    """Return the live release as something whose pod or process is ended."""
    return Scene(platform_kube, home, live, deadlines, run_id)


@when("the pod is deleted and replaced while a writer adds more", target_fixture="write_log")
def replace_pod_under_writer(scene: Scene, collection: Collection) -> WriteLog:
    return ends.replace_pod_under_writer(scene, collection)


@when("Chroma's process is killed while a writer adds more", target_fixture="write_log")
def kill_under_writer(scene: Scene, collection: Collection) -> WriteLog:
    return ends.kill_under_writer(scene, collection)


@given(parse("it holds {count:d} records, and its index is torn"), target_fixture="write_log")
def tear_index(scene: Scene, collection: Collection, count: int) -> WriteLog:
    return torn.tear(scene, collection, count)


@when("the pod is replaced", target_fixture="keeping")
def replace_pod(scene: Scene, run: Run) -> Keeping:
    return torn.replace_pod(scene, run.measured)


@when(
    parse(
        "Chroma's process is killed {times:d} times while it writes the index, and then the pod is replaced"
    ),
    target_fixture="write_log",
)
def kill_while_indexing(scene: Scene, collection: Collection, times: int, run: Run) -> WriteLog:
    return ends.kill_while_indexing(scene, collection, times, run.measured)


@when(
    parse("Chroma's process is killed {times:d} times at random moments, and then the pod is replaced"),
    target_fixture="write_log",
)
def kill_at_random(scene: Scene, collection: Collection, times: int, run: Run) -> WriteLog:
    return ends.kill_at_random(scene, collection, times, run.measured)


@when("a record is added and another pod searches the claim for it", target_fixture="search")
def search_claim(live: Live, collection: Collection, deadlines: Deadlines, run_id: str) -> Search:
    return records.search_claim(live, collection, deadlines, run_id)


@when(parse("another client adds record {number:d} through the Service"))
def add_elsewhere(live: Reachable, collection: Collection, routes: Routes, number: int) -> None:
    records.add_elsewhere(live, collection, routes, number)


@then(parse("the collection holds {count:d} records, each as it was written"))
def records_are_as_written(collection: Collection, count: int) -> None:
    records.assert_written(collection, count)


@then("every collection answered before the pod was ready")
def users_were_kept_out(keeping: Keeping) -> None:
    torn.assert_answered(keeping)


@then("the collection holds every acknowledged record, as it was written")
def acknowledged_records_are_held(collection: Collection, write_log: WriteLog) -> None:
    records.assert_acknowledged(collection, write_log)


@then("queries find its records")
def questions_find_records(collection: Collection) -> None:
    records.assert_found_by_questions(collection)


@then("after any history a collection holds what was acknowledged, and its answers have the nearest records")
def any_history_is_kept(scene: Scene, database: Database, run: Run) -> None:
    histories.try_any(scene, database, run.options.seed)


@then("it is found in the database on the claim")
def database_is_on_claim(search: Search) -> None:
    records.assert_database_is_there(search)
