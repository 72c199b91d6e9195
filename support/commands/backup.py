"""The commands that keep what a release holds: --backup and --restore."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from support.backup.archive import ArchiveError, described
from support.backup.backup import BackupRunner
from support.backup.shelf import Shelf
from support.commands.apply import described as described_rollout
from support.core.errors import SuiteError
from support.diagnosis.causes import rejection
from support.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.commands.call import Call


def back_up(call: Call) -> int:
    """Back the release up to a file, or to a new one in a directory, of which older ones may go then.

    1 also where the file is whole, but something was found wrong with the data: then none of the older ones goes.
    """

    def act() -> int:
        now, named = dt.datetime.now(dt.UTC), _named(call)
        shelf = Shelf(named, call.namespace.name) if named.is_dir() else None
        if call.keep and not shelf:
            raise ArchiveError(f"--keep {call.keep} needs a directory that is there: {named} is none")
        file = shelf.place(now) if shelf else named
        manifest = _backup_runner(call).back_up(call.namespace, call.release, file)
        call.say(f"{file}: {described(manifest)}")
        for found in manifest.findings:
            call.say(f"wrong with the data, and so with its copy: {found}")
        if manifest.findings:
            return 1
        for gone in shelf.keep(call.keep, now) if shelf and call.keep else ():
            call.say(f"removed: {gone}")
        return 0

    return _reported(call, act)


def restore(call: Call) -> int:
    """Restore a file, or the newest of a directory, into an empty claim, and let the release go live on it."""

    def act() -> int:
        named = _named(call)
        file = Shelf(named, call.namespace.name).newest() if named.is_dir() else named
        rollout = _backup_runner(call).restore(
            call.namespace, call.release if call.chosen else None, file, call.changes
        )
        call.say(f"restored from {file}")
        for line in described_rollout(rollout):
            call.say(line)
        return 0

    return _reported(call, act)


def _reported(call: Call, act: Callable[[], int]) -> int:
    """Say what went wrong with the copy, and return the exit code."""
    try:
        return act()
    except ApiError as refused:
        if refused.unanswered:
            raise
        call.say(f"error: {rejection(refused)}")
        return 1
    except SuiteError as error:
        call.say(f"error: {error}")
        return 1


def _backup_runner(call: Call) -> BackupRunner:
    return BackupRunner(call.run_id, call.deadlines, call.namespace.progress)


def _named(call: Call) -> Path:
    return Path(call.argument).expanduser().absolute()
