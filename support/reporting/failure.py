"""What is said of a step that failed: what was promised and seen, where, for what trouble, and what to do."""

from __future__ import annotations

import re
import textwrap
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.core.errors import SuiteError
from support.core.promises import PromiseBroken
from support.core.symptoms import symptom_of
from support.deploy.results import NotLive, Refused
from support.diagnosis.afterwards import remedy_afterwards
from support.diagnosis.troubles import diagnose
from support.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.core.symptoms import Symptom
    from support.diagnosis.findings import Finding
    from support.reporting.scenario import Scenario

# How an assertion says both, in lines of its own.
_PROMISE: Final = re.compile(r"promised:(?P<promised>.*?)\nseen:(?P<seen>.*)", re.DOTALL)


@dataclass(frozen=True)
class Advice:
    """Why a step failed, as far as that is known.

    `trouble` is what failures for one cause have in common, and `cause` says it with what was seen of it; both are empty
    where the failure is of no known kind. `remedy` is what to do.
    """

    trouble: str = ""
    cause: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Failure:
    """A step that failed. `cluster_stays`: the cluster can still be asked when the run is over."""

    scenario: Scenario
    step: str  # with its keyword
    line: int
    error: BaseException
    is_given: bool = False
    cluster_stays: bool = True

    @property
    def was_not_live(self) -> bool:
        """Whether the scenario could not begin, since the release that it needs was not live."""
        return self.is_given and isinstance(self.error, (Refused, NotLive))

    @property
    def reason(self) -> str:
        """Why it failed, in one line."""
        promised, seen = self._promise
        if promised:
            return f"promised: {_first(promised)}; seen: {_first(seen)}"
        return f"{type(self.error).__name__}: {_first(seen)}".removesuffix(f": {type(self.error).__name__}")

    def advice(self, look_into: Callable[[Symptom], Finding | None] = diagnose) -> Advice:
        """Return why it failed; `look_into` names the trouble of somebody who saw this."""
        finding, remedy = self._finding(look_into), ""
        if finding:
            remedy = finding.remedy
        elif isinstance(self.error, SuiteError):
            remedy = self.error.remedy
        if remedy and not self.cluster_stays:
            remedy = remedy_afterwards(remedy, finding.kind if finding else None)
        if finding:
            # What the caller saw differs from failure to failure, and is told of each.
            detail = "" if finding.detail == str(symptom_of(self.error)) else f": {finding.detail}"
            return Advice(str(finding.kind), f"{finding.kind}{detail}", remedy)
        if isinstance(self.error, NotLive):
            return Advice(_first(self.error.why), _first(self.error.why), remedy)
        return Advice(remedy=remedy)

    def sentences(self, root: Path, advice: Advice | None = None) -> list[str]:
        """Say what was promised, what was seen instead, and where; and what to do, where that is known."""
        place = f"{self.scenario.file}:{self.line}"
        promised, seen = self._promise
        frames = [
            f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(self.error.__traceback__)
        ]
        ours = [
            one.removeprefix(f"{root}/")
            for one in frames
            if one.startswith((f"{root}/steps/", f"{root}/support/"))
        ]
        why = advice or self.advice()
        return [
            f"promised: {f'{self.step}: {promised}' if promised else self.step}  ({place})",
            f"seen:     {textwrap.indent(seen, ' ' * 10).strip()}",
            f"where:    {(ours or [place])[-1]}",
            *([f"trouble:  {why.cause}"] if why.cause else ()),
            *([f"to do:    {why.remedy}"] if why.remedy and why.remedy not in seen else ()),
        ]

    @property
    def _promise(self) -> tuple[str, str]:
        """What was promised, "" where the error does not say so apart from the rest, and what was seen."""
        if isinstance(self.error, PromiseBroken):
            return self.error.promised, self.error.seen
        text = str(self.error)
        if isinstance(self.error, Refused):  # what to do is told by itself
            text = text.removesuffix(f"; to do: {self.error.finding.remedy}")
        # Pytest adds how an assertion was computed; that stands in the traceback.
        text = text.partition("\nassert ")[0].strip()
        if said := _PROMISE.fullmatch(text):
            return said["promised"].strip(), said["seen"].strip()
        return "", text or type(self.error).__name__

    def _finding(self, look_into: Callable[[Symptom], Finding | None]) -> Finding | None:
        if isinstance(self.error, ApiError):
            return None  # what the API server refused is no answer of a release
        if isinstance(self.error, Refused):
            return self.error.finding.behind or self.error.finding
        return look_into(symptom_of(self.error))


def _first(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")
