"""One call of a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.core.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from support.core.wait import Deadlines
    from support.deploy.namespace import Namespace
    from support.release.release import Release


class NotConsentedError(SuiteError):
    """What a command would do wants a consent that nobody has given; nothing was changed."""


@dataclass(frozen=True)
class Call:
    """One call of a command: where, for which release, and what it was given on the command line ("" when nothing).

    `chosen`: the operator has named the release, which else is the usual one; `changes` are those of the command line, and `revision` the
    number of the one that is meant in the place of a release, "" for none; `keep` says how many backups stay in their
    directory, None for all. `remove_data`: data is to go as well.
    `say` takes a line of the result, for standard output; progress goes the namespace's way, to standard error. `consent`
    is asked before users would notice something, which it is given in lines, and raises `NotConsentedError`; of nothing it
    asks nobody.
    """

    namespace: Namespace
    release: Release
    run_id: str
    deadlines: Deadlines
    argument: str
    say: Callable[[str], None]
    consent: Callable[[Sequence[str]], None]
    remove_data: bool = False
    chosen: bool = False
    revision: str = ""
    keep: int | None = None
    changes: tuple[str, ...] = ()
