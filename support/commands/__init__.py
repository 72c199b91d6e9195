"""What people ask for instead of a run of the features: a command looks or acts once, and ends with an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.commands import backup, plan, status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.commands.call import Call


# By the name of its option (support/options.py declares it, too); each returns the exit code.
COMMANDS: Final[Mapping[str, Callable[[Call], int]]] = {
    "plan": plan.tell,
    "backup": backup.back_up,
    "restore": backup.restore,
    "status": status.command,
}
