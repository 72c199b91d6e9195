"""Backups, what happens to them, and what is restored from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_bdd import given, then, when

from steps.vocabulary import OneOf, parser
from support.backup.backup import BackupRunner
from support.checks.backup import attempts, broken, operator
from support.checks.deployment import tokens

if TYPE_CHECKING:
    from pathlib import Path

    from support.checks.backup.attempts import Attempt
    from support.checks.backup.operator import Copied
    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout
    from support.release.release import Release
    from support.session.run import Run

parse = parser(
    Mishap=OneOf.itself(attempts.MISHAPS),
    Flaw=OneOf.itself(broken.FLAWS),
    Refusal=OneOf.itself(attempts.REFUSALS),
)


@pytest.fixture
def backup_runner(run_id: str, deadlines: Deadlines) -> BackupRunner:
    """Return who backs up and restores."""
    return BackupRunner(run_id, deadlines, lambda _: None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where a backup goes."""
    return tmp_path / "chroma.tar"


@given("a backup of the release", target_fixture="backup")
def backup_of_release(backup_runner: BackupRunner, home: Namespace, live: Live, file: Path) -> Path:
    backup_runner.back_up(home, live.release, file)
    return file


@given(parse("a backup that {flaw:Flaw}"), target_fixture="backup")
def backup_with_flaw(file: Path, flaw: str, release_under_test: Release) -> Path:
    return broken.flawed(flaw, file, release_under_test.chroma.image)


@given("a complete backup", target_fixture="backup")
def whole_backup(file: Path, release_under_test: Release) -> Path:
    return broken.backup(file, release_under_test.chroma.image)


@given("a backup that is larger than a small claim", target_fixture="backup")
def large_backup(file: Path, release_under_test: Release) -> Path:
    return attempts.large_backup(file, release_under_test)


@given("a claim with a file in it")
def occupied_claim(backup_runner: BackupRunner, here: Namespace, release_under_test: Release) -> None:
    attempts.occupy(backup_runner, here, release_under_test)


@given("a restore that ran out of room on a small claim")
def restore_without_room(
    backup_runner: BackupRunner, here: Namespace, release_under_test: Release, file: Path
) -> None:
    attempts.run_out_of_room(backup_runner, here, release_under_test, file)


@given(parse("a collection of {count:d} records of {dimension:d} dimensions"), target_fixture="collection")
def large_collection(database: Database, count: int, dimension: int) -> Collection:
    return attempts.large_collection(database, count, dimension)


@when("the backup is restored into a small claim", target_fixture="attempt")
def restore_into_small_claim(
    backup_runner: BackupRunner, here: Namespace, release_under_test: Release, backup: Path
) -> Attempt:
    return attempts.try_to_restore(backup_runner, here, attempts.small(release_under_test), backup)


@when("the release is backed up", target_fixture="backup")
def back_release_up(backup_runner: BackupRunner, home: Namespace, live: Live, file: Path) -> Path:
    backup_runner.back_up(home, live.release, file)
    return file


@when("an operator with another token backs it up", target_fixture="copied")
def back_up_with_another_token(
    backup_runner: BackupRunner, home: Namespace, live: Live, file: Path, run: Run
) -> Copied:
    return operator.back_up(backup_runner, live, tokens.with_another_token(home, run.redactor), file)


@then("a warning before the backup says that the token is not the release's")
def operator_is_warned_of_token(copied: Copied) -> None:
    operator.assert_warned_of_token(copied)


@when(parse("{mishap:Mishap} during a backup"), target_fixture="attempt")
def back_up_under(
    mishap: str, backup_runner: BackupRunner, home: Namespace, live: Live, file: Path
) -> Attempt:
    return attempts.back_up_under(mishap, backup_runner, home, live, file)


@when("the backup is restored into an empty namespace", target_fixture="rollout")
def restore_into_empty_namespace(
    backup_runner: BackupRunner, fresh_namespace: Namespace, live: Live, backup: Path
) -> Rollout:
    return backup_runner.restore(fresh_namespace, live.release, backup)


@when("the backup is restored", target_fixture="attempt")
def restore_backup(
    backup_runner: BackupRunner, here: Namespace, release_under_test: Release, backup: Path
) -> Attempt:
    return attempts.try_to_restore(backup_runner, here, release_under_test, backup)


@then("the restored release is live")
def restored_release_is_live(fresh_namespace: Namespace) -> None:
    fresh_namespace.prove_live()


@then("it holds the collection unchanged, and answers queries as before")
def restored_release_is_same(collection: Collection, rollout: Rollout) -> None:
    attempts.assert_restored(collection, rollout)


@then(parse("the backup has failed because {mishap:Mishap}"))
def backup_has_failed(attempt: Attempt, mishap: str) -> None:
    attempts.assert_failed(attempt, mishap)


@then(parse("the restore is refused because the {reason:Refusal}"))
def restore_is_refused(attempt: Attempt, reason: str) -> None:
    attempts.assert_refused(attempt, reason)


@then("the claim is unchanged")
def claim_holds_what_it_held(
    backup_runner: BackupRunner, here: Namespace, release_under_test: Release
) -> None:
    attempts.assert_holds_what_it_held(attempts.held_by_claim(backup_runner, here, release_under_test))


@then("the claim is empty")
def claim_is_empty(backup_runner: BackupRunner, here: Namespace, release_under_test: Release) -> None:
    assert attempts.held_by_claim(backup_runner, here, release_under_test) == {}


@then("the claim has the size that the release requests")
def claim_is_as_large_as_asked(here: Namespace, release_under_test: Release, deadlines: Deadlines) -> None:
    attempts.assert_grown(here, release_under_test, deadlines)


@then("the release is live, and its objects are unchanged")
def release_lives_on(home: Namespace, live: Live) -> None:
    attempts.assert_lives_on(home, live)


@then("nothing of the backup is left")
def nothing_of_backup_is_left(attempt: Attempt) -> None:
    attempts.assert_nothing_left(attempt)


@then("only the operator can read the backup")
def backup_is_private(backup: Path) -> None:
    attempts.assert_private(backup)
