"""An operator whose environment holds another token than the release's, and what is told to such a one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from support.core.promises import PromiseBroken
from support.diagnosis.troubles import Trouble

if TYPE_CHECKING:
    from pathlib import Path

    from support.backup.backup import BackupRunner
    from support.core.redaction import Redactor
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout


@dataclass(frozen=True)
class Copied:
    """A backup, and what its operator was told on the way."""

    file: Path
    lines: tuple[str, ...]


def with_another_token(here: Namespace, redactor: Redactor) -> Namespace:
    """Return a namespace for an operator whose token is another than any release's."""
    token = secrets.token_urlsafe(24)
    redactor.learn(token)
    return here.with_token(token)


def back_up(backup_runner: BackupRunner, live: Live, there: Namespace, file: Path) -> Copied:
    """Let an operator back a release up, and note what is told."""
    lines: list[str] = []
    replace(backup_runner, progress=lines.append).back_up(there, live.release, file)
    return Copied(file, tuple(lines))


def assert_warned_of_token(copied: Copied) -> None:
    """Assert that the operator is warned, before the release is quiesced, that the token is another."""
    warned = next((number for number, line in enumerate(copied.lines) if Trouble.TOKEN in line), None)
    quiesced = next(number for number, line in enumerate(copied.lines) if line.endswith("is quiesced"))
    if warned is None:
        raise PromiseBroken(Trouble.TOKEN, copied.lines)
    if warned >= quiesced:
        raise PromiseBroken("warned before the release is quiesced", copied.lines)


def assert_brought_back(home: Namespace, live: Live, rollout: Rollout) -> None:
    """Assert that a refused release gave way to the one before it, which lives under the token it had."""
    if not rollout.live:
        raise PromiseBroken(f'release "{live.release.name}" is live again', f"nothing is, after {rollout}")
    assert rollout.live.token == live.token, "the release was brought back with another token"
    with home.health_check(live) as health_check:
        health_check.heartbeat_advances()
        health_check.acknowledges_write()
