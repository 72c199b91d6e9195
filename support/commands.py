"""What people ask for instead of a run of the features: a command looks or acts once, and ends with an exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support import keeping, planning, status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.namespace import Namespace
    from support.options import Options
    from support.release import Release


@dataclass(frozen=True)
class Call:
    """One call of a command: where, for which release, and what it was given on the command line ("" when nothing).

    `say` takes a line of the result, for standard output; progress goes the namespace's way, to standard error.
    """

    namespace: Namespace
    release: Release
    options: Options
    argument: str
    say: Callable[[str], None]


# By the name of its option (support/options.py declares it, too); each returns the exit code.
COMMANDS: Final[Mapping[str, Callable[[Call], int]]] = {
    "plan": planning.tell,
    "backup": keeping.back_up,
    "restore": keeping.restore,
    "status": status.command,
}
