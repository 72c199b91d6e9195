"""How pytest takes scenarios up: collection, the report on them, their cluster; a command does without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.diagnosis.findings import Cause
from support.release.lint import insecurities
from support.reporting.conformance import Report
from support.reporting.scenario import Scenario
from support.session.collector import FeatureFile, all_scenarios, is_titled, uncatchable, unknown_title
from support.session.plugin import chosen, leads_to_features, unwritable
from support.session.suite import GATEWAY_API, SUITE, boot

if TYPE_CHECKING:
    from pathlib import Path


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Check what names a file of the suite, and put an unfinished report in place of the last one."""
    config, suite = session.config, session.config.stash[SUITE]
    if not leads_to_features(config) or hasattr(config, "workerinput"):
        return
    options = suite.run.options
    release, fault = (None, None) if options.verify else chosen(suite.run)
    if options.command:  # the report of the last run stays
        return
    if release and (reasons := insecurities(release)) and suite.run.accept_insecure(release) is None:
        lines = [f'release "{release.name}" is refused because {Cause.INSECURE}:']
        lines += [line for reason in reasons for line in reason.lines()]
        lines += ["(--accept-insecure deploys it nevertheless, and then the run fails)"]
        raise pytest.UsageError("\n  ".join(lines))
    suite.scenarios = scenarios = all_scenarios(config.rootpath)
    if unknown := unknown_title(suite.run.options.scenario, scenarios):
        raise pytest.UsageError(f"--scenario: {unknown}")
    if fault and (wrong := uncatchable(fault.caught_by, scenarios)):
        raise pytest.UsageError(f"fault {fault.name!r}: {wrong}")
    suite.report = Report(
        suite.run.conditions,
        directory=options.report_dir,
        root=config.rootpath,
        arguments=config.invocation_params.args,
        scenarios=scenarios,
        redactor=suite.run.redactor,
        facts=suite.run.facts,
        measured=suite.run.measured,
        fault=fault,
    )
    try:
        suite.report.begin()
    except OSError as error:
        suite.report = None
        raise pytest.UsageError(unwritable(options.report_dir, error)) from None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    return FeatureFile.from_parent(parent, path=file_path) if file_path.suffix == ".feature" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not of the title asked for."""
    if title := config.stash[SUITE].run.options.scenario:
        others = [item for item in items if not is_titled(item, title)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note what is selected; a process that hands it to workers collects nothing."""
    found = [Scenario.among(item.user_properties) for item in session.items]
    if selected := [one for one in found if one]:
        session.config.stash[SUITE].scenarios = selected


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Boot the cluster once it is sure that something needs it."""
    going_on = not session.testsfailed and not session.config.option.collectonly
    if going_on and any(isinstance(item.parent, FeatureFile) for item in session.items):
        boot(session.config, needs_gateway_api=any(map(_needs_gateway_api, session.items)))


def _needs_gateway_api(item: pytest.Item) -> bool:
    return item.get_closest_marker(GATEWAY_API) is not None
