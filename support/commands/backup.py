"""The commands that keep what a release holds: --backup and --restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from support.backup.archive import described
from support.backup.backup import BackupRunner
from support.commands.apply import described as described_rollout
from support.core.errors import SuiteError
from support.diagnosis.causes import rejection
from support.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.commands.call import Call


def back_up(call: Call) -> int:
    """Back the release up to a file; 1 also where the file is whole, but something was found wrong with the data."""

    def act() -> int:
        manifest = _backup_runner(call).back_up(call.namespace, call.release, _file(call))
        call.say(f"{_file(call)}: {described(manifest)}")
        for found in manifest.findings:
            call.say(f"wrong with the data, and so with its copy: {found}")
        return 1 if manifest.findings else 0

    return _reported(call, act)


def restore(call: Call) -> int:
    """Restore a file into an empty claim, and let the release go live on it."""

    def act() -> int:
        rollout = _backup_runner(call).restore(
            call.namespace, call.release if call.chosen else None, _file(call), call.changes
        )
        call.say(f"restored from {_file(call)}")
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


def _file(call: Call) -> Path:
    return Path(call.argument).expanduser().absolute()
