"""Backups, what happens to them, and what is restored from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from pytest_bdd import given, parsers, then, when

from steps.words import OneOf
from support import drills, flawed, operators
from support.backup import Clerk

if TYPE_CHECKING:
    from pathlib import Path

    from support.chroma import Collection, Database
    from support.drills import Attempt
    from support.namespace import Live, Namespace, Rollout
    from support.operators import Copied
    from support.release import Release
    from support.run import Run
    from support.wait import Deadlines

_TYPES: Final = {
    "Mishap": OneOf.itself(drills.MISHAPS),
    "Flaw": OneOf.itself(flawed.FLAWS),
    "Refusal": OneOf.itself(drills.REFUSALS),
}


def parse(text: str) -> parsers.parse:
    """Parse a step with the types of this module."""
    return parsers.parse(text, _TYPES)


@pytest.fixture
def clerk(run_id: str, deadlines: Deadlines) -> Clerk:
    """Return who backs up and restores."""
    return Clerk(run_id, deadlines, lambda _: None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where a backup goes."""
    return tmp_path / "chroma.tar"


@given("a backup of the release", target_fixture="backup")
def backup_of_release(clerk: Clerk, home: Namespace, live: Live, file: Path) -> Path:
    clerk.back_up(home, live.release, file)
    return file


@given(parse("a backup that {flaw:Flaw}"), target_fixture="backup")
def backup_with_flaw(file: Path, flaw: str, release_under_test: Release) -> Path:
    return flawed.flawed(flaw, file, release_under_test.chroma.image)


@given("a backup that is whole", target_fixture="backup")
def whole_backup(file: Path, release_under_test: Release) -> Path:
    return flawed.backup(file, release_under_test.chroma.image)


@given("a backup that is larger than a small claim", target_fixture="backup")
def large_backup(file: Path, release_under_test: Release) -> Path:
    return drills.large_backup(file, release_under_test)


@given("a claim that holds a file of somebody's")
def occupied_claim(clerk: Clerk, here: Namespace, release_under_test: Release) -> None:
    drills.occupy(clerk, here, release_under_test)


@given("a restore that found too little room on a small claim")
def restore_without_room(clerk: Clerk, here: Namespace, release_under_test: Release, file: Path) -> None:
    drills.run_out_of_room(clerk, here, release_under_test, file)


@given(parse("a collection of {count:d} records of {dimension:d} dimensions"), target_fixture="collection")
def large_collection(database: Database, count: int, dimension: int) -> Collection:
    return drills.large_collection(database, count, dimension)


@when("the backup is restored into a small claim", target_fixture="attempt")
def restore_into_small_claim(
    clerk: Clerk, here: Namespace, release_under_test: Release, backup: Path
) -> Attempt:
    return drills.try_to_restore(clerk, here, drills.small(release_under_test), backup)


@when("the release is backed up", target_fixture="backup")
def back_release_up(clerk: Clerk, home: Namespace, live: Live, file: Path) -> Path:
    clerk.back_up(home, live.release, file)
    return file


@when("an operator whose token is another backs it up", target_fixture="copied")
def back_up_with_another_token(clerk: Clerk, home: Namespace, live: Live, file: Path, run: Run) -> Copied:
    return operators.back_up(clerk, live, operators.with_another_token(home, run.redactor), file)


@then("the operator is told beforehand that the token is not the release's")
def operator_is_told_of_token(copied: Copied) -> None:
    operators.assert_told_of_token(copied)


@when(parse("{mishap:Mishap} during a backup"), target_fixture="attempt")
def back_up_under(mishap: str, clerk: Clerk, home: Namespace, live: Live, file: Path) -> Attempt:
    return drills.back_up_under(mishap, clerk, home, live, file)


@when("the backup is restored into an empty namespace", target_fixture="rollout")
def restore_into_empty_namespace(
    clerk: Clerk, fresh_namespace: Namespace, live: Live, backup: Path
) -> Rollout:
    return clerk.restore(fresh_namespace, live.release, backup)


@when("the backup is restored", target_fixture="attempt")
def restore_backup(clerk: Clerk, here: Namespace, release_under_test: Release, backup: Path) -> Attempt:
    return drills.try_to_restore(clerk, here, release_under_test, backup)


@then("the restored release is live")
def restored_release_is_live(fresh_namespace: Namespace) -> None:
    fresh_namespace.prove_live()


@then("it holds the collection as it was, and answers questions as before")
def restored_release_is_same(collection: Collection, rollout: Rollout) -> None:
    drills.assert_restored(collection, rollout)


@then(parse("the backup has failed because {mishap:Mishap}"))
def backup_has_failed(attempt: Attempt, mishap: str) -> None:
    drills.assert_failed(attempt, mishap)


@then(parse("the restore is refused because the {reason:Refusal}"))
def restore_is_refused(attempt: Attempt, reason: str) -> None:
    drills.assert_refused(attempt, reason)


@then("the claim holds what it held")
def claim_holds_what_it_held(clerk: Clerk, here: Namespace, release_under_test: Release) -> None:
    drills.assert_holds_what_it_held(drills.held_by_claim(clerk, here, release_under_test))


@then("the claim is empty")
def claim_is_empty(clerk: Clerk, here: Namespace, release_under_test: Release) -> None:
    assert drills.held_by_claim(clerk, here, release_under_test) == {}


@then("the claim is as large as the release asks")
def claim_is_as_large_as_asked(here: Namespace, release_under_test: Release, deadlines: Deadlines) -> None:
    drills.assert_grown(here, release_under_test, deadlines)


@then("the release lives on as it was")
def release_lives_on(home: Namespace, live: Live) -> None:
    drills.assert_lives_on(home, live)


@then("nothing of the backup is left")
def nothing_of_backup_is_left(attempt: Attempt) -> None:
    drills.assert_nothing_left(attempt)


@then("nobody but the operator may read the backup")
def backup_is_private(backup: Path) -> None:
    drills.assert_private(backup)
