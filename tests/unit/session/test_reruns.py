"""What passes only when a plugin runs it again is flaky: it is told so everywhere, and opens no gate."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from tests.miniature import Miniature

FEATURE = """
    @core
    Feature: First
      Scenario: It wavers
        Given a beginning
        Then it wavers

      Scenario: It fails
        Then it fails

      Scenario: It holds
        Then it holds
    """
STEPS = """
from pathlib import Path

@given("a beginning")
def beginning(): pass

@then("it holds")
def holds(): pass

@then("it fails")
def fails(): raise AssertionError("never")

@then("it wavers")
def wavers():
    if not Path("tried").exists():
        Path("tried").touch()
        raise AssertionError("not yet")
"""
# Where pytest-rerunfailures is not installed (nothing here needs it): how its reports look with --reruns 2.
STAND_IN = """
from _pytest.runner import runtestprotocol

declare = pytest_addoption

def pytest_addoption(parser, pluginmanager):
    declare(parser, pluginmanager)
    parser.addoption("--reruns", type=int, default=0)

def pytest_runtest_protocol(item, nextitem):
    reruns = item.config.getoption("reruns")
    for attempt in range(reruns + 1):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        again = attempt < reruns and any(report.failed for report in reports)
        for report in reports:
            report.rerun = attempt
            if again and report.failed:
                report.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=report)
        if not again:
            return True

def pytest_report_teststatus(report):
    return ("rerun", "R", "RERUN") if report.outcome == "rerun" else None
"""


@pytest.fixture
def wavering(miniature: Miniature) -> Miniature:
    miniature.feature("first", FEATURE)
    miniature.steps(STEPS)
    if find_spec("pytest_rerunfailures") is None:
        miniature.fixtures(STAND_IN)
    return miniature


@pytest.mark.parametrize("workers", [0, 2])
def test_what_passes_only_on_a_rerun_is_told_as_flaky(wavering: Miniature, workers: int) -> None:
    ran = wavering.run_apart("features/", "--reruns", "2", "-n", str(workers))
    assert ran.code == 1, ran.out + ran.err
    assert ran.out.count("It wavers") == 1, "an attempt was told as a scenario"
    assert "    ~ It wavers" in ran.out
    assert "passed only when it ran again; before that: AssertionError: not yet" in ran.out
    assert "core: FAILURE (1 passed, 1 failed, 1 flaky)" in ran.out
    assert "1 failed, 1 passed, 3 rerun, 1 flaky" in ran.out

    report = wavering.report()
    told = {one["scenario"]: one for one in report["scenarios"]}
    assert {name: one["outcome"] for name, one in told.items()} == {
        "It wavers": "flaky",
        "It fails": "failed",
        "It holds": "passed",
    }
    assert (report["levels"]["core"]["passed"], report["levels"]["core"]["flaky"]) == (1, 1)
    assert [one["reason"] for one in told["It wavers"]["earlier"]] == ["AssertionError: not yet"]
    assert len(told["It fails"]["earlier"]) == 2
    assert [line.split()[0] for line in told["It wavers"]["steps"]] == ["passed", "passed"]

    root = ET.parse(wavering.root / "reports" / "junit.xml").getroot()
    kinds = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert kinds["It wavers"] == ["properties", "flakyFailure", "system-out"]
    assert kinds["It fails"] == ["properties", "failure", "rerunFailure", "rerunFailure", "system-out"]


def test_a_flaky_scenario_opens_no_gate(wavering: Miniature) -> None:
    arguments = ("features/", "--reruns", "2", "-k", "not fails")
    assert wavering.run(*arguments).code == 0
    assert wavering.report()["verdict"] == "partial"
    (wavering.root / "tried").unlink()
    ran = wavering.run(*arguments, "--require", "core")
    assert ran.code == 5
    assert "not proved: core is required, and this was flaky: It wavers" in ran.out


def test_a_run_of_flaky_scenarios_alone_proves_nothing(wavering: Miniature) -> None:
    ran = wavering.run("features/", "--reruns", "2", "-k", "wavers")
    assert ran.code == 5
    assert "not proved: no scenario passed" in ran.out


UNSETTLED = """
from pathlib import Path

@given("a beginning")
def beginning(): pass

@then("it holds")
def holds(): pass

@then("it fails")
def fails(): pass

@then("it wavers")
def wavers():
    Path("tried").touch()
    raise SuiteError("not yet", remedy="wait a little")
"""


def test_each_attempt_is_told_with_its_own_words(wavering: Miniature) -> None:
    wavering.steps("from support.core.errors import SuiteError\n" + UNSETTLED)
    wavering.fixtures("""
        @pytest.fixture(autouse=True)
        def ground():
            from pathlib import Path
            if Path("tried").exists():
                raise RuntimeError("the ground is gone")
    """)
    ran = wavering.run("features/", "--reruns", "1", "-k", "wavers")
    assert ran.code == 1
    (told,) = wavering.report()["scenarios"]
    assert told["reason"] == "setup of the fixtures: RuntimeError: the ground is gone"
    assert "remedy" not in told, "what was to do about another attempt is told of this one"
    assert "steps" not in told
    assert [one["reason"] for one in told["earlier"]] == ["SuiteError: not yet"]
