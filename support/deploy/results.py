"""How an apply or a roll back went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.core.errors import SuiteError

if TYPE_CHECKING:
    from support.core.symptoms import Symptom
    from support.deploy.live import Live
    from support.diagnosis.findings import Finding
    from support.release.release import Release


@dataclass(frozen=True)
class Rollout:
    """How the apply of a release went.

    `finding` says why it was refused, None when it is live. `live` is what lives in the namespace now: the release
    itself, the one before that it gave way to, or nothing. `changed` names the objects ("kind name") that are not as
    they were: made, changed or gone. `seconds` from the apply to each stage. `code_server` says in a sentence what its
    shells got of the release; nothing where the place is not announced.
    """

    release: Release
    live: Live | None
    finding: Finding | None
    changed: tuple[str, ...]
    seconds: dict[str, float]
    code_server: str = ""

    def __str__(self) -> str:
        how = f"refused because {self.finding}" if self.finding else "live"
        return f'release "{self.release.name}" is {how}; seconds: {self.seconds}'


class NotLive(SuiteError, AssertionError):  # noqa: N818 - a fact, not a mistake
    """No release, or not the one that was, is live; `why` says what is missing, without the release's name."""

    def __init__(self, why: str, release: Release | None = None, symptom: Symptom | None = None) -> None:
        text = f'release "{release.name}" is not live: {why}' if release else why
        super().__init__(text, symptom=symptom)
        self.why = why


class Refused(SuiteError, AssertionError):  # noqa: N818 - a fact, not a mistake
    """A release was refused; `finding` says why."""

    def __init__(self, release: Release, finding: Finding) -> None:
        text = f'release "{release.name}" is not live: refused because {finding}'
        super().__init__(text, remedy=finding.remedy, symptom=finding.unreached)
        self.finding = finding


@dataclass(frozen=True)
class RollBack:
    """What a roll back removed, and what of the suite's it left, each as "kind name".

    `left` names, a line each with the command that removes it, what stays beyond that: volumes that their class keeps, and
    the namespace where it is not the suite's to remove.
    `code_server` says in a sentence what its shells got; nothing where the place is not announced.
    """

    removed: tuple[str, ...]
    kept: tuple[str, ...]
    left: tuple[str, ...] = ()
    code_server: str = ""
