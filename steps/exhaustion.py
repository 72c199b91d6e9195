"""Releases that run out of memory or of room while records are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, when

from support.checks import exhaustion

if TYPE_CHECKING:
    from support.checks.durability.ends import Scene
    from support.checks.durability.writing import WriteLog
    from support.checks.troubleshooting import Disruptable
    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.release.release import Release


@given("the release, live with little memory in a namespace of its own", target_fixture="live")
def live_with_little_memory(fresh_namespace: Namespace, release_under_test: Release) -> Live:
    return fresh_namespace.ensure_live(exhaustion.with_little_memory(release_under_test))


@when("a user asks for more than it has memory for while two writers add records", target_fixture="write_log")
def run_out_of_memory(scene: Scene, database: Database, collection: Collection) -> WriteLog:
    return exhaustion.run_out_of_memory(scene, database, collection)


@when(
    "its claim runs full under two writers, its pod is replaced, and there is room again",
    target_fixture="write_log",
)
def run_out_of_room(scene: Scene, disruptable: Disruptable, collection: Collection) -> WriteLog:
    return exhaustion.run_out_of_room(scene, disruptable, collection)
