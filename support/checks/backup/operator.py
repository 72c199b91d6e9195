"""An operator with another token than the release's, and the warning that a backup gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from support.core.promises import PromiseBroken
from support.diagnosis.findings import Trouble

if TYPE_CHECKING:
    from pathlib import Path

    from support.backup.backup import BackupRunner
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace


@dataclass(frozen=True)
class Copied:
    """A backup, and what its operator was warned of on the way."""

    file: Path
    lines: tuple[str, ...]


def back_up(backup_runner: BackupRunner, live: Live, there: Namespace, file: Path) -> Copied:
    """Let an operator back a release up, and note its progress."""
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
