"""Tells a run on the terminal as the specification reads: feature, rule, scenario, and how long each took."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final

import pytest

from support.reporting.alike import Alike
from support.reporting.blocks import blocks, cut, general
from support.reporting.buffer import FeatureBuffer
from support.reporting.progress import Progress
from support.reporting.scenario import Scenario
from support.reporting.verdict import MESSAGE, NOT_LIVE, scenario_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from support.reporting.verdict import Result, Results

# Characters: durations further to the right lose their scenario.
_WIDEST: Final = 110
_ERASE_LINE: Final = "\r\033[2K"
# For a terminal's font, and for an output that knows no more than ASCII.
_SIGNS: Final = {"passed": "✓", "failed": "✗", "not_run": "✗", "skipped": "-", "flaky": "~"}
_PLAIN_SIGNS: Final = {
    "passed": "ok    ",
    "failed": "FAILED",
    "not_run": "NOT RUN",
    "skipped": "-     ",
    "flaky": "FLAKY ",
}
_MARKUP: Final = {
    "passed": {"green": True},
    "failed": {"red": True, "bold": True},
    "not_run": {"red": True},
    "skipped": {"yellow": True},
    "flaky": {"yellow": True, "bold": True},
}
# Columns of what is told of a failure, also where no terminal says how many there are: as wide as a log is read.
_TOLD_WIDTH: Final = 120
# Seconds after which a log shows a sign of life.
_QUIET: Final = 10.0
# How a scenario that could not begin is counted in the last line.
_NOT_RUN: Final = "not run"


class SpecificationReporter(pytest.TerminalReporter):  # type: ignore[misc]  # final, yet what pytest-bdd extends, too
    """Pytest's reporter, which tells scenarios as a specification and everything else as ever.

    With -q a feature is a line; with -v a scenario also says where it stands, and on which worker it ran.
    """

    def __init__(self, config: pytest.Config, file: TextIO, results: Results) -> None:
        super().__init__(config, file)
        self._results = results
        self._feature_buffer = FeatureBuffer(self._write_result)
        self._scenarios: dict[str, Scenario] = {}  # those to come, by node id; unknown to xdist's controller
        self._heading: tuple[str, str] = ("", "")  # the feature and the rule that were shown last
        self._feature: list[Result] = []  # with -q: what was not shown yet
        self._passing = False  # whether the last line is to be erased by the next
        self._told: set[str] = set()  # the reasons of failures that were told already
        self._coming: Scenario | None = None  # the one that runs, whose heading was perhaps not shown yet
        self._alike = Alike()  # scenarios like the one before, which have no line of their own
        self._written = time.monotonic()  # when a line was written last
        self._skipped: list[Result] = []  # of one feature, one after the other, which share lines
        self._signs = _SIGNS if _can_carry(file, _SIGNS) else _PLAIN_SIGNS

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what is to come."""
        super().pytest_collection_finish(session)
        known = ((item.nodeid, Scenario.among(item.user_properties)) for item in session.items)
        self._scenarios = {nodeid: scenario for nodeid, scenario in known if scenario}
        self._feature_buffer.expect(scenario.file for scenario in self._scenarios.values())

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Note what is to come; all workers collect the same."""
        self._feature_buffer.expect(nodeid.partition("::")[0] for nodeid in ids)

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """Show the name of the next scenario for as long as it runs."""
        if scenario := self._scenarios.get(nodeid):
            self._coming = scenario
            self._show(scenario.name)
        elif nodeid.partition("::")[0].endswith(".feature"):
            self._show(location[2])
        else:
            super().pytest_runtest_logstart(nodeid, location)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count every phase, and tell a scenario once it is over and cleaned up after."""
        if isinstance(report, Progress):
            if not report.usual or self._shows_stages:
                self.progress(f"[{report.worker_id}] {report.line}" if report.worker_id else report.line)
        elif scenario_of(report):
            category, _, _ = self.config.hook.pytest_report_teststatus(report=report, config=self.config)
            rerun = getattr(report, "rerun", 0)  # the number that pytest-rerunfailures gives
            if rerun and category == "passed":
                category = "flaky"
            elif report.failed and report.when == "call" and NOT_LIVE in dict(report.user_properties):
                category = _NOT_RUN
            self._add_stats(category, [report])
            # A scenario whose worker died has but one report, of no phase that pytest knows.
            if report.when not in {"setup", "call"} and not self._results.awaits_rerun(report.nodeid):
                self._feature_buffer.add(self._results.result(report.nodeid))
        else:
            super().pytest_runtest_logreport(report)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note where the run was ended: without the sources, whose reading would delay the end by seconds."""
        self._keyboardinterrupt_memo = excinfo.getrepr(style="native")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Any:
        """Tell what is left when the scenarios are over, or were ended."""
        try:
            return (yield)
        finally:
            self._feature_buffer.close()
            self._write_skipped()
            self._write_feature()
            self._unfold()
            self._forget()

    def summary_errors(self) -> None:
        """Tell what failed, each cause once, before what pytest tells."""
        found = blocks(self._results.ended()) if self._tells_blocks else []
        broken = [] if self._results.uncollected else self._results.broken  # of which pytest tells itself
        if found or broken:
            self.write_sep("=", "FAILURES")
        for line in broken:
            self.write_line(line, red=True, bold=True)
        for number, block in enumerate(found):
            if number:
                self.write_line("")
            headline, *lines = block.lines(self._width)
            self.write_line(headline, red=True, bold=True)
            for line in lines:
                self.write_line(line)
        super().summary_errors()

    def getreports(self, name: str) -> list[Any]:
        """Return the reports of a kind that pytest tells at length: not those that were told by their cause."""
        reports: list[Any] = super().getreports(name)
        return [report for report in reports if not self._is_told(report)]

    def short_test_summary(self) -> None:
        """Tell at the very end once more what failed, and what to do."""
        if not self._tells_blocks:
            super().short_test_summary()
            return
        stats, self.stats = (
            self.stats,
            {
                kind: [one for one in reports if not self._is_told(one)]
                for kind, reports in self.stats.items()
            },
        )
        try:
            super().short_test_summary()
        finally:
            self.stats = stats
        if found := blocks(self._results.ended()):
            self.write_sep("=", "what failed, and what to do", bold=True)
            for block in found:
                for line in block.in_short(self._width):
                    self.write_line(line)

    def progress(self, line: str) -> None:
        """Show what is going on: in a line that passes, or where there is no terminal, in one of its own."""
        if self.isatty():
            self._show(line)
        elif self.verbosity >= 0:
            with self._capturing_stopped():
                if self._coming:
                    self._write_skipped(goes_on=True)
                    self._head(self._coming)
                self.write_line(f"      {line}")

    def say(self, line: str) -> None:
        """Say a line that stays."""
        with self._capturing_stopped():
            self.write_line(line)

    def ensure_newline(self) -> None:
        """Begin a line: the one that passes makes room."""
        self._written = time.monotonic()
        self._forget()
        super().ensure_newline()

    def _write_result(self, result: Result) -> None:
        if self.verbosity < 0:
            if self._feature and self._feature[0].scenario.file != result.scenario.file:
                self._write_feature()
            self._feature.append(result)
            return
        if self._folds(result):
            return
        self._head(result.scenario)
        reason = f"{result.outcome}: {result.trouble or general(result.reason)}"
        known = reason in self._told
        if self._alike.ends_with(result):
            self._unfold()
        if self.verbosity == 0 and self._alike.takes(result, known=known):
            return
        self._unfold()
        self._alike.last = result
        self._write_one(result, known=known)
        if result.outcome not in {"passed", "skipped", "flaky"}:
            self._told.add(reason)

    def _write_one(self, result: Result, *, known: bool = False) -> None:
        """Write a scenario's line, and below it why it did not pass, unless that is `known`: a cause is told once."""
        where = " ".join(filter(None, (result.scenario.place, result.worker))) if self.verbosity > 0 else ""
        self._write_line("    ", result.outcome, result.scenario.name, result.seconds, where)
        if result.outcome in {"skipped", "flaky"}:
            self.write_line(f"        {result.reason}", **_MARKUP[result.outcome])
        elif result.outcome != "passed" and not known:
            cause = f"{result.cause}; " if result.outcome == "failed" and result.cause else ""
            self.write_line(cut(f"        {cause}{result.reason}", self._width), **_MARKUP[result.outcome])

    def _folds(self, result: Result) -> bool:
        """Keep what was skipped, to tell it with what follows; tell what was kept before what was not skipped."""
        others = [one for one in self._skipped if one.scenario.file != result.scenario.file]
        if others or result.outcome != "skipped":
            self._write_skipped(goes_on=not others)
        if result.outcome != "skipped" or self.verbosity > 0:
            return False
        self._skipped.append(result)
        return True

    def _write_skipped(self, *, goes_on: bool = False) -> None:
        """Tell what was skipped in a row: each reason once; where nothing of its feature ran or `goes_on`, in its name."""
        results, self._skipped = self._skipped, []
        if not results:
            return
        if goes_on or len(results) == 1:
            self._head(results[0].scenario)
        if len(results) == 1:
            self._write_one(results[0])
            return
        self._unfold()
        feature = results[0].scenario.feature
        is_open = self._heading[0] == feature
        for reason, number in Counter(result.reason for result in results).items():
            what = "1 scenario" if number == 1 else f"{number} scenarios"
            where = "    " if is_open else ""
            words = f"{what} skipped: {reason}" if is_open else f"{feature}: {what} skipped: {reason}"
            self.ensure_newline()
            self.write(f"{where}{self._signs['skipped']}", **_MARKUP["skipped"])
            self.line(f" {words}")

    def _unfold(self) -> None:
        """Say how many more there were like the last one; a single further example is named."""
        folded = self._alike.take_out()
        number = len(folded)
        if number and folded[0].outcome == "not_run":
            words = f"{number} more scenario{'s' * (number > 1)} not run"
            self.write_line(f"    {self._signs['not_run']} {words}", **_MARKUP["not_run"])
        elif number:
            title = folded[0].scenario.name if number == 1 else f"and {number} more examples"
            self._write_line("    ", folded[0].outcome, title, sum(one.seconds for one in folded), "")

    def _write_feature(self) -> None:
        if self._feature:
            outcomes = [result.outcome for result in self._feature]
            worst = max(outcomes, key=["passed", "skipped", "flaky", "not_run", "failed"].index)
            counts = ", ".join(
                f"{number} {outcome.replace('_', ' ')}" for outcome, number in Counter(outcomes).items()
            )
            title = f"{self._feature[0].scenario.feature}: {counts}"
            self._write_line("", worst, title, sum(result.seconds for result in self._feature), "")
            self._feature.clear()

    def _write_line(self, indent: str, outcome: str, title: str, seconds: float, where: str) -> None:
        self.ensure_newline()
        self.write(f"{indent}{self._signs[outcome]}", **_MARKUP[outcome])
        room = min(self._screen_width, _WIDEST) - len(indent) - len(self._signs[outcome]) - 10
        self.write(f" {title:<{room}}")
        self.line(f"{seconds:6.1f} s  {where}".rstrip(), light=True)

    def _head(self, scenario: Scenario) -> None:
        """Write what of feature and rule was not the last one's."""
        if self.verbosity < 0:
            return
        feature, rule = self._heading
        if (scenario.feature, scenario.rule) != (feature, rule):
            self._unfold()
            self._alike.last = None
        if scenario.feature != feature:
            self.write_line("")
            self.write_line(scenario.feature, bold=True)
        if scenario.rule and (scenario.feature, scenario.rule) != (feature, rule):
            self.write_line(f"  {scenario.rule}")
        self._heading = (scenario.feature, scenario.rule)

    @property
    def _shows_stages(self) -> bool:
        """Whether stages that every rollout passes are shown: in a log only where nothing else has been for a while."""
        return self.isatty() or self.verbosity > 0 or time.monotonic() - self._written >= _QUIET

    @property
    def _width(self) -> int:
        return max(self._screen_width, _TOLD_WIDTH)

    @property
    def _tells_blocks(self) -> bool:
        """Whether failures are told by their causes; who asks for tracebacks gets them."""
        given = self.config.option
        return given.tbstyle == "short" and not given.fulltrace

    def _is_told(self, report: Any) -> bool:
        """Whether what a report tells stands in a block, and the rest of it in its evidence."""
        if not (self._tells_blocks and isinstance(report, pytest.TestReport)):
            return False
        return report.failed and report.when == "call" and MESSAGE in dict(report.user_properties)

    def _determine_main_color(self, unknown_type_seen: bool) -> str:
        return "red" if _NOT_RUN in self.stats else super()._determine_main_color(unknown_type_seen)

    def _show(self, line: str) -> None:
        """Show a line until the next one, on terminals alone."""
        if self.isatty() and self.verbosity >= 0:
            with self._capturing_stopped():
                self._forget()
                self.write(f"      {line}"[: self._screen_width - 1], flush=True, light=True)
            self._passing = True

    def _forget(self) -> None:
        if self._passing:
            self._passing = False
            self.write_raw(_ERASE_LINE, flush=True)

    def _capturing_stopped(self) -> AbstractContextManager[Any]:
        capture = self.config.pluginmanager.get_plugin("capturemanager")
        return capture.global_and_fixture_disabled() if capture else nullcontext()


def _can_carry(file: TextIO, signs: Mapping[str, str]) -> bool:
    try:
        "".join(signs.values()).encode(file.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
