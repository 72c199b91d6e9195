"""One call of a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.core.wait import Deadlines
    from support.deploy.namespace import Namespace
    from support.release.release import Release


@dataclass(frozen=True)
class Call:
    """One call of a command: where, for which release, and what it was given on the command line ("" when nothing).

    `say` takes a line of the result, for standard output; progress goes the namespace's way, to standard error.
    """

    namespace: Namespace
    release: Release
    run_id: str
    deadlines: Deadlines
    argument: str
    say: Callable[[str], None]
