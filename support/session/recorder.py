"""Takes the evidence of a failure, before any fixture cleans up."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from support.backup.backup import NotLiveError
from support.backup.transfer import CopyError
from support.core.restraint import DisturbanceError, OverBudget, restraint
from support.kube.errors import ApiError
from support.network import http
from support.reporting import evidence
from support.reporting.failure import Failure
from support.reporting.scenario import Scenario
from support.reporting.steps import StepLog
from support.reporting.verdict import (
    CAUSE,
    ERROR,
    EVIDENCE,
    MESSAGE,
    NOT_LIVE,
    OF_ATTEMPT,
    OVER_BUDGET,
    REASON,
    REMEDY,
    STEPS,
    TROUBLE,
)
from support.session.collector import FeatureFile
from support.session.run import SILENT
from support.session.suite import SUITE

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_bdd.parser import Scenario as ParsedScenario
    from pytest_bdd.parser import Step

    from support.core.redaction import Redactor

IN_SHORT: Final = pytest.StashKey[str]()
STEP_LOG: Final = pytest.StashKey[StepLog]()


# What stands between pytest and a step, and explains no failure.
MACHINERY: Final = frozenset({"_pytest", "pytest_bdd"})


# What a cluster, a network or a file can do; anything else is a mistake of the suite, and shows where it was made.
CIRCUMSTANCES: Final = (
    ApiError,
    AssertionError,
    http.NoResponse,
    CopyError,
    NotLiveError,
    OSError,
    DisturbanceError,
)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forget the attempt before, where a plugin runs again what failed."""
    item.user_properties[:] = [one for one in item.user_properties if one[0] not in OF_ATTEMPT]
    if IN_SHORT in item.stash:
        del item.stash[IN_SHORT]
    if STEP_LOG in item.stash:
        del item.stash[STEP_LOG]


def pytest_bdd_before_scenario(request: pytest.FixtureRequest, scenario: ParsedScenario) -> None:
    request.node.stash[STEP_LOG] = StepLog([f"{step.keyword} {step.name}" for step in scenario.steps])


def pytest_bdd_after_step(request: pytest.FixtureRequest) -> None:
    request.node.stash[STEP_LOG].end("passed")


def pytest_bdd_before_step(request: pytest.FixtureRequest, step: Step) -> None:
    """Note when a step begins, and follow the logs from the beginning of what a scenario does last: where a Then fails, that is what it looks at."""
    request.node.stash[STEP_LOG].begin()
    if step.type != "then":
        request.config.stash[SUITE].run.evidence_recorder.begin_act()


def pytest_bdd_step_error(request: pytest.FixtureRequest, step: Step, exception: Exception) -> None:
    """Take the evidence of a failure, before any fixture cleans up."""
    item, suite = request.node, request.config.stash[SUITE]
    item.stash[STEP_LOG].end("failed")
    scenario = Scenario.among(item.user_properties)
    if scenario is None:  # a test that binds a scenario by itself
        return
    failure = Failure(
        scenario,
        f"{step.keyword} {step.name}",
        step.line_number,
        exception,
        is_given=step.type == "given",
        cluster_stays=suite.run.options.provider != "embedded",
    )
    directory = evidence.bundle_directory(suite.run.options.report_dir / "evidence", item.nodeid)
    advice = failure.advice(suite.run.look_into)
    sentences = failure.sentences(request.config.rootpath, advice)
    redactor = suite.run.redactor
    try:
        summary = evidence.take(
            directory, sentences, suite.run.views(), redactor, "".join(traceback.format_exception(exception))
        )
    except OSError as error:  # a disk that is full must not hide why a step failed
        summary = redactor.text("\n".join([*sentences, f"no evidence can be written: {error}"]))
    item.stash[IN_SHORT] = f"{summary}\nevidence: {directory}"
    item.user_properties += [
        (EVIDENCE, str(directory)),
        (REASON, failure.reason),
        (ERROR, type(exception).__name__),
        (MESSAGE, "\n".join(sentences)),
        (TROUBLE, advice.trouble),
        (CAUSE, advice.cause),
        (REMEDY, advice.remedy),
    ]
    if failure.was_not_live:
        item.user_properties.append((NOT_LIVE, "yes"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the evidence into the report, where it survives xdist, and keep every secret out of it."""
    if (
        call.excinfo
        and isinstance(item.parent, FeatureFile)
        and not item.config.getoption("fulltrace", False)
    ):
        call.excinfo.traceback = call.excinfo.traceback.filter(
            lambda entry: MACHINERY.isdisjoint(Path(entry.path).parts)
        )
    _heed_restraint(item, call)
    if call.when == "call" and STEP_LOG in item.stash:
        item.user_properties.append((STEPS, "\n".join(item.stash[STEP_LOG].lines())))
    report = yield
    if call.excinfo and report.failed and isinstance(item.parent, FeatureFile):
        _shorten(item, call.excinfo, report)
    if call.when == "call" and report.passed:
        item.config.stash[SUITE].run.evidence_recorder.forget()
    if call.when == "call" and report.failed and IN_SHORT in item.stash:
        report.sections.append(("Evidence", item.stash[IN_SHORT]))
    _redact(item.config, report, item.config.stash[SUITE].run.redactor)
    return report


def _heed_restraint(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Leave out what does not fit into the budget of the run, and fail what tried what its mode does not do."""
    disturbances = restraint().disturbances()
    if call.excinfo and isinstance(call.excinfo.value, OverBudget):
        item.user_properties.append((OVER_BUDGET, "yes"))
        call.excinfo = _raised(pytest.skip.Exception(f"left out: {call.excinfo.value}; --budget allows more"))
    elif disturbances and not call.excinfo:
        call.excinfo = _raised(DisturbanceError(disturbances[0]))


def _raised(error: BaseException) -> pytest.ExceptionInfo[BaseException]:
    try:
        raise error
    except type(error) as raised:
        return pytest.ExceptionInfo.from_exception(raised)


def _shorten(
    item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException], report: pytest.TestReport
) -> None:
    """Show of what a cluster, a network or a file did only what is said of it; end the run where the cluster is silent.

    Where in the suite that was met is in the evidence, and by --full-trace.
    """
    if not isinstance(excinfo.value, CIRCUMSTANCES) or item.config.getoption("fulltrace", False):
        return
    report.longrepr = excinfo.getrepr(style="value", chain=False)
    run = item.config.stash[SUITE].run
    if isinstance(excinfo.value, ApiError) and (silent := run.silence(excinfo.value)):
        run.facts[SILENT] = silent
        item.session.shouldstop = "the cluster does not answer any more"


def _redact(config: pytest.Config, report: pytest.TestReport, redactor: Redactor) -> None:
    """Take the secrets out of a report before anybody else sees it."""
    data = config.hook.pytest_report_to_serializable(config=config, report=report)
    clean = redactor.plain(data)
    if clean != data:
        vars(report).update(vars(config.hook.pytest_report_from_serializable(config=config, data=clean)))
