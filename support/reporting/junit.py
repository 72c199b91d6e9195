"""Writes the results as JUnit XML, for the tools that read nothing else.

The form is that of Jenkins and Surefire (tests/unit/reporting/test_junit.py holds it), and beyond it what their readers look for or
pass over: file, line and start of a case, and its properties.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from junitparser import Attr, Error, Failure, Skipped, xunit2

from support.reporting.evidence import bundle_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from support.reporting.verdict import Result

# What XML 1.0 cannot carry, not even escaped.
_UNSPEAKABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_THE_RUN: Final = "chroma-conformance"


class _Case(xunit2.TestCase):
    file = Attr()
    line = Attr()
    timestamp = Attr()


def write_junit(
    file: Path, results: Sequence[Result], began: datetime, amiss: Sequence[tuple[str, str]]
) -> None:
    """Write the results: a suite for each feature, a case for each scenario.

    `began` is when the run began. `amiss` is what is wrong with the run beyond its scenarios, each with its kind: a reader of
    nothing else must not take a run for a success that was interrupted, or proved less than it had to.
    """
    report = xunit2.JUnitXml(_THE_RUN)
    for feature_file in dict.fromkeys(result.scenario.file for result in results):
        within = [result for result in results if result.scenario.file == feature_file]
        starts = [result.started for result in within if result.started]
        began_here = datetime.fromtimestamp(min(starts), UTC) if starts else began
        report.add_testsuite(_suite(within[0].scenario.feature, began_here, map(_case, within)))
    if amiss:
        report.add_testsuite(_suite(_THE_RUN, began, (_of_run(kind, line) for kind, line in amiss)))
    report.update_statistics()
    report.write(str(file))


def iso(moment: float | datetime) -> str:
    """Return a moment (seconds since 1970, or itself) as ISO 8601 has it, with its zone, to the millisecond."""
    at = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment, UTC)
    return at.isoformat(timespec="milliseconds")


def _suite(name: str, began: datetime, cases: Iterable[xunit2.TestCase]) -> xunit2.TestSuite:
    suite = xunit2.TestSuite(_clean(name))
    suite.timestamp = iso(began)
    suite.add_testcases(list(cases))
    return suite


def _of_run(kind: str, line: str) -> xunit2.TestCase:
    case = _Case(_clean(line), _THE_RUN, 0)
    case.result = Error(_clean(line), kind)
    return case


def _case(result: Result) -> xunit2.TestCase:
    scenario = result.scenario
    # Readers of JUnit make packages of what dots divide.
    classname = scenario.file.removesuffix(".feature").replace("/", ".")
    case = _Case(_clean(scenario.name), classname, round(result.seconds, 3))
    case.file, case.line = scenario.file, str(scenario.line)
    if result.started:
        case.timestamp = iso(result.started)
    # In the order of Surefire's schema: properties, what it came to, output.
    for name, value in _facts(result).items():
        if value:
            case.add_property(name, _clean(value))
    if result.outcome in {"failed", "not_run"}:
        # What could not begin counts against the run, and proves no promise broken.
        kind = Failure if result.outcome == "failed" else Error
        failure = kind(_clean(result.message or result.reason), result.error)
        failure.text = _clean(result.detail)
        case.result = failure
    elif result.outcome == "skipped":
        case.result = Skipped(_clean(result.reason))
    again = xunit2.FlakyFailure if result.outcome == "flaky" else xunit2.RerunFailure
    for attempt in result.earlier:
        failed = again(_clean(attempt.message or attempt.reason), attempt.error)
        failed.stack_trace = _clean(attempt.detail)
        case.add_interim_result(failed)
    if output := [*result.steps, *_attachments(result.evidence)]:
        case.system_out = _clean("\n".join(output))
    return case


def _facts(result: Result) -> dict[str, str]:
    return {
        "rule": result.scenario.rule,
        "tags": " ".join(result.scenario.tags),
        "outcome": result.outcome,
        "trouble": result.trouble,
        "remedy": result.remedy,
        "evidence": result.evidence,
        "worker": result.worker,
    }


def _attachments(evidence: str) -> Iterator[str]:
    """Yield a line for each file, as Jenkins and GitLab find it: by its path from where the run was started."""
    for file in bundle_files(evidence):
        yield f"[[ATTACHMENT|{os.path.relpath(file)}]]"


def _clean(text: str) -> str:
    return _UNSPEAKABLE.sub("\N{REPLACEMENT CHARACTER}", text)
