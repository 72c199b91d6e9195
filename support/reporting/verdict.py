"""Judges a run from pytest's reports: what each scenario came to, and the verdict of each level."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import pytest

from support.reporting.progress import Progress
from support.reporting.scenario import LEVELS, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# flaky: it failed, and passed when a plugin ran it again.
Outcome = Literal["passed", "failed", "not_run", "skipped", "flaky"]
Verdict = Literal["success", "partial", "failure"]

# The property of a report that says where the evidence of a failure lies.
EVIDENCE: Final = "evidence"
# Those that say why a step failed: in one line, and in all: promised, seen, where, trouble, to do.
REASON: Final = "reason"
MESSAGE: Final = "message"
ERROR: Final = "error"
# What troubles a user who saw that, in the words that failures for one cause share; with what was seen of it; what to do.
TROUBLE: Final = "trouble"
CAUSE: Final = "cause"
REMEDY: Final = "remedy"
# What became of each step, a line each.
STEPS: Final = "steps"
# The property of a report that says that a scenario could not begin, since the release that it needs was not live.
NOT_LIVE: Final = "not_live"
# The property of a report that says that a scenario did not fit into the budget of the run.
OVER_BUDGET: Final = "over_budget"
# What an attempt adds to the properties of an item; the next attempt begins without.
OF_ATTEMPT: Final = frozenset(
    {EVIDENCE, REASON, MESSAGE, ERROR, TROUBLE, CAUSE, REMEDY, STEPS, NOT_LIVE, OVER_BUDGET}
)
# The property of a report that says that a scenario does not concern the release: its version is not made that way.
NOT_APPLICABLE: Final = "not_applicable"


@dataclass(frozen=True)
class Attempt:
    """How an attempt at a scenario failed that was followed by another one."""

    reason: str
    message: str
    detail: str
    error: str


@dataclass(frozen=True)
class Result:
    """What one scenario came to.

    "not_run": it could not begin, since the release that it needs is not live. A run of which that is true is no success.
    """

    nodeid: str
    scenario: Scenario
    outcome: Outcome
    seconds: float  # set-up and clean-up included
    reason: str = ""  # of a failure or a skip: one line
    message: str = ""  # of a failure: what was promised and seen, where, and what to do; a line each
    detail: str = ""  # of a failure: all that pytest says
    error: str = "AssertionError"  # of a failure: the class of what was raised
    trouble: str = ""  # of a failure: what troubles a user who sees that, where it is known
    cause: str = ""  # of a failure: the trouble, with what was seen of it
    remedy: str = ""  # of a failure: what to do about it, where it is known
    evidence: str = ""  # of a failure: the directory of its evidence
    worker: str = ""  # the worker it ran on, under xdist
    over_budget: bool = False  # skipped, since it did not fit into the budget of the run
    not_applicable: bool = False  # skipped, since it does not concern the release
    started: float = 0.0  # seconds since 1970; 0 where its worker died and did not say
    steps: tuple[str, ...] = ()  # what became of each, where it came to its steps
    earlier: tuple[Attempt, ...] = ()  # those that failed, where a plugin runs again what failed


@dataclass(frozen=True)
class Level:
    """What a level came to.

    `not_run` counts the scenarios that could not begin, since the release was not live, `not_applicable` those that do not
    concern the release, and `left_out` those that were not run for whatever other reason. What passed on a rerun alone is
    `flaky`, and not among the passed.
    """

    verdict: Verdict
    passed: int
    failed: int
    flaky: int
    not_run: int
    skipped: int
    not_applicable: int
    left_out: int
    because: tuple[str, ...]  # why the verdict is no success, a line for each reason

    @property
    def there(self) -> int:
        """How many scenarios it has, whatever became of them."""
        return sum(
            (
                self.passed,
                self.failed,
                self.flaky,
                self.not_run,
                self.skipped,
                self.not_applicable,
                self.left_out,
            )
        )

    @property
    def counted(self) -> str:
        """How many scenarios came to what, in words."""
        counts = {
            "passed": self.passed,
            "failed": self.failed,
            "flaky": self.flaky,
            "not run": self.not_run,
            "skipped": self.skipped,
            "not applicable": self.not_applicable,
            "left out": self.left_out,
        }
        return ", ".join(f"{number} {what}" for what, number in counts.items() if number)


@dataclass(frozen=True)
class Outcomes:
    """What a run came to: its levels, its scenarios, and what is wrong with it beyond those, each with its kind."""

    verdict: Verdict
    levels: Mapping[str, Level]
    results: Sequence[Result]
    amiss: Sequence[tuple[str, str]]


class Results:
    """Keeps what the reports of a run say; a plugin of the process that hears of all of them."""

    def __init__(self) -> None:
        self._phases: dict[str, list[pytest.TestReport]] = {}
        self.broken: list[str] = []  # what is wrong with the run beyond its scenarios, a line each
        self.uncollected = False  # whether a feature could not even be read

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take down what a phase of a scenario came to."""
        if not isinstance(report, Progress) and scenario_of(report):
            self._phases.setdefault(report.nodeid, []).append(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take down what could not be collected: none of its scenarios will ever run."""
        if report.failed:
            self.uncollected = True
            self.broken.append(f"{report.nodeid}: {_last_line(report.longreprtext)}")

    def awaits_rerun(self, nodeid: str) -> bool:
        """Whether the last attempt at a scenario failed, and is followed by another."""
        return any(map(_is_followed, _attempts(self._phases[nodeid])[-1]))

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Take down that the suite itself, or a plugin, broke."""
        self.broken.append(f"the suite broke: {_last_line(excinfo.exconly())}")

    def result(self, nodeid: str) -> Result:
        """Return what a scenario came to, as far as its reports have arrived."""
        return _result(nodeid, self._phases[nodeid])

    def ended(self) -> list[Result]:
        """Return what each scenario came to, in the order in which they began; without one that was interrupted."""
        return [
            self.result(nodeid) for nodeid, phases in self._phases.items() if _has_come_to_something(phases)
        ]


def scenario_of(report: pytest.TestReport) -> Scenario | None:
    """Return the scenario that a report is about; None for an ordinary test.

    A worker that dies leaves a report that says no more than where it was; that scenario has failed, too.
    """
    if found := Scenario.among(report.user_properties):
        return found
    file, _, name = report.nodeid.partition("::")
    return Scenario(file, 1, file, "", name, ()) if file.endswith(".feature") and name else None


def judge(
    scenarios: Sequence[Scenario], results: Sequence[Result], broken: Sequence[str]
) -> dict[str, Level]:
    """Return the verdict of each level that has scenarios.

    success: all of its scenarios that concern the release passed; partial: none failed, but not all were run; failure: one
    failed, or something could not be collected. `scenarios` are all that there are, whatever was selected.
    """
    levels = {}
    for level in LEVELS:
        there = Counter(one.level for one in scenarios)[level]
        of_level = [result for result in results if result.scenario.level == level]
        if there or of_level or (broken and level == LEVELS[0]):
            levels[level] = _level(there, of_level, broken if level == LEVELS[0] else ())
    return levels


def overall(levels: Iterable[Level]) -> Verdict:
    """Return the worst of some verdicts; having proven nothing is no success."""
    verdicts = {level.verdict for level in levels}
    if "failure" in verdicts:
        return "failure"
    return "success" if verdicts == {"success"} else "partial"


def _level(there: int, results: Sequence[Result], broken: Sequence[str]) -> Level:
    counts = Counter("not_applicable" if result.not_applicable else result.outcome for result in results)
    left_out = max(0, there - len(results))
    because = [*broken]
    because += [
        f"{one.scenario.name}: {one.reason}"
        for one in results
        if one.outcome in {"failed", "skipped"} and not one.not_applicable
    ]
    not_run = Counter(one.reason for one in results if one.outcome == "not_run")
    because += [
        f"{number} of {there} scenarios could not run: {reason}" for reason, number in not_run.items()
    ]
    if results and not left_out and counts["not_applicable"] == len(results):
        because.append("none of its scenarios concerns the release")
    because += [f"{left_out} of {there} scenarios were not run"] * (left_out > 0)
    failed = counts["failed"] or counts["not_run"] or broken
    return Level(
        "failure" if failed else "partial" if because else "success",
        passed=counts["passed"],
        failed=counts["failed"],
        flaky=counts["flaky"],
        not_run=counts["not_run"],
        skipped=counts["skipped"],
        not_applicable=counts["not_applicable"],
        left_out=left_out,
        because=tuple(because),
    )


def _result(nodeid: str, phases: Sequence[pytest.TestReport]) -> Result:
    *before, last = _attempts(phases)
    # An interrupted rerun has come to nothing: the failure before it stands.
    if before and not _has_come_to_something(last):
        last = before.pop()
    failed = next(filter(_has_failed, last), None)
    skipped = next((report for report in last if report.skipped), None)
    scenario = scenario_of(phases[0])
    assert scenario is not None  # pytest_runtest_logreport took it down
    properties = _properties(last)
    earlier = tuple(map(_attempt, before))
    reason, message, detail = "", "", ""
    not_live = bool(failed) and NOT_LIVE in properties
    if failed:
        told = _attempt(last)
        reason, message, detail = told.reason, told.message, told.detail
        if not_live:
            reason = f"the release is not live: {properties[CAUSE]}"
    elif skipped:
        reason = _why_skipped(skipped)
    elif earlier:
        reason = f"passed only when it ran again; before that: {earlier[-1].reason}"
        message = earlier[-1].message
    # Of the attempt whose failure is told, and of no other.
    of_failure = _properties(last if failed else before[-1] if before else ())
    outcome: Outcome = "skipped" if skipped else "flaky" if earlier else "passed"
    if failed:
        outcome = "not_run" if not_live else "failed"
    return Result(
        nodeid=nodeid,
        scenario=scenario,
        outcome=outcome,
        seconds=sum(report.duration for report in phases),
        reason=reason,
        message=message,
        detail=detail,
        error=of_failure.get(ERROR, "AssertionError"),
        trouble=of_failure.get(TROUBLE, ""),
        cause=of_failure.get(CAUSE, ""),
        remedy=of_failure.get(REMEDY, ""),
        evidence=of_failure.get(EVIDENCE, ""),
        worker=getattr(phases[0], "worker_id", ""),
        over_budget=OVER_BUDGET in properties,
        not_applicable=NOT_APPLICABLE in properties,
        started=min((report.start for report in phases if report.start), default=0.0),
        steps=tuple(properties.get(STEPS, "").splitlines()),
        earlier=earlier,
    )


def _attempts(phases: Sequence[pytest.TestReport]) -> list[list[pytest.TestReport]]:
    """Return the phases of each attempt; there is one, unless a plugin runs again what failed and numbers the attempts."""
    attempts: dict[int, list[pytest.TestReport]] = {}
    for report in phases:
        attempts.setdefault(getattr(report, "rerun", 0), []).append(report)
    return list(attempts.values())


def _attempt(phases: Sequence[pytest.TestReport]) -> Attempt:
    """Return how an attempt failed."""
    failed = next(filter(_has_failed, phases), phases[-1])
    properties = _properties(phases)
    of_step = properties if failed.when == "call" else {}
    return Attempt(
        reason=of_step.get(REASON) or _reason(failed),
        message=of_step.get(MESSAGE, ""),
        detail=failed.longreprtext,
        error=properties.get(ERROR, "AssertionError"),
    )


def _properties(phases: Iterable[pytest.TestReport]) -> dict[str, str]:
    return {name: str(value) for report in phases for name, value in report.user_properties}


def _has_failed(report: pytest.TestReport) -> bool:
    return report.failed or _is_followed(report)


def _is_followed(report: pytest.TestReport) -> bool:
    """Whether it is of a failure after which the scenario runs again, as pytest-rerunfailures marks that."""
    return str(report.outcome) == "rerun"


def _has_come_to_something(phases: Sequence[pytest.TestReport]) -> bool:
    return any(report.when == "call" or not report.passed for report in phases)


def _reason(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    said = crash.message if crash else _last_line(report.longreprtext)
    first, *_ = said.strip().splitlines() or ["failed without a word"]
    return f"{report.when} of the fixtures: {first}" if report.when in {"setup", "teardown"} else first


def _why_skipped(report: pytest.TestReport) -> str:
    longrepr = report.longrepr
    return longrepr[2].removeprefix("Skipped: ") if isinstance(longrepr, tuple) else report.longreprtext


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["?"])[-1].removeprefix("E").strip()
