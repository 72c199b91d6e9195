"""Where the release is refused, what needs it is not run: told once, and no success for anybody who reads a report."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from support.deploy.results import Refused
from support.diagnosis.findings import Cause, Finding, Trouble
from support.release.catalogue import load
from support.reporting.failure import Failure
from support.reporting.scenario import Scenario
from tests.miniature import ROOT, Miniature

FEATURE = """
    @core
    Feature: Access
      Rule: Strangers are refused

        Scenario: One is refused
          Given the live release
          Then it holds

        Scenario: Two are refused
          Given the live release
          Then it holds

      Rule: It goes live

        Scenario: Three are refused
          Given the live release
          Then it holds

        Scenario: The release goes live
          Then the release is live

        Scenario: It needs none
          Then it holds
    """
STEPS = """
from support.deploy.results import Refused
from support.diagnosis.findings import Cause, Finding, Trouble
from support.release.catalogue import load

def refused():
    behind = Finding(Trouble.SERVICE, "its selector is {'app': 'chromadb'}", advice="look at `kubectl get svc`")
    finding = Finding(Cause.NEVER_READY, f"its pod is ready, but {behind}", advice=behind.remedy, behind=behind)
    return Refused(load("gateway"), finding)

@given("the live release")
def live():
    raise refused()

@then("the release is live")
def is_live():
    raise refused()

@then("it holds")
def holds(): pass
"""
CAUSE = "the Service leads to no pod: its selector is {'app': 'chromadb'}"
HEADLINE = f"not run: 3 scenarios, since the release is not live: {CAUSE}"


@pytest.fixture
def refused(miniature: Miniature) -> Miniature:
    miniature.feature("access", FEATURE)
    miniature.steps(STEPS)
    return miniature


@pytest.mark.parametrize("workers", [0, 1])
def test_what_a_refusal_keeps_from_running_is_told_once_first_and_last(
    refused: Miniature, workers: int
) -> None:
    ran = refused.run_apart("features/", *(["-n", str(workers)] if workers else []))
    assert ran.code == 1
    run, _, rest = ran.out.partition("= FAILURES =")
    assert f"        the release is not live: {CAUSE}\n" in run
    assert run.count(CAUSE) == 2, "once for what could not run, and once for what failed"
    assert "    ✗ 1 more scenario not run\n  It goes live" in run
    failures, _, ending = rest.partition("= conformance =")
    assert failures.splitlines()[1] == HEADLINE
    assert f"1 scenario failed: {CAUSE}" in failures
    assert "core: FAILURE (1 passed, 1 failed, 3 not run)" in ending
    told = ending.partition("= what failed, and what to do =")[2].splitlines()
    assert told[1] == HEADLINE
    assert "to do: compare the selector of Service" in told[2]
    assert "kubectl" not in ran.out, "its cluster is gone"
    assert "python -m cluster up" in ending
    assert "1 failed, 1 passed, 3 not run in" in told[-1]


def test_machines_are_told_what_was_not_run_and_why(refused: Miniature) -> None:
    refused.run("features/")
    report = refused.report()
    (level,) = report["levels"].values()
    assert (report["verdict"], level["not_run"], level["failed"]) == ("failure", 3, 1)
    assert f"3 of 5 scenarios could not run: the release is not live: {CAUSE}" in level["because"]
    entry = report["scenarios"][0]
    assert (entry["outcome"], entry["reason"]) == ("not_run", f"the release is not live: {CAUSE}")
    assert entry["trouble"] == "the Service leads to no pod"
    assert entry["remedy"].startswith("compare the selector of Service")
    suites = ET.parse(refused.root / "reports" / "junit.xml").getroot()
    assert (suites.get("errors"), suites.get("failures"), suites.get("tests")) == ("3", "1", "5")
    case = next(suites.iter("testcase"))
    assert case.find("error") is not None
    assert case.find("failure") is None


def test_what_to_do_fits_a_cluster_that_stays_or_has_gone() -> None:
    scenario = Scenario("features/a.feature", 3, "A", "It holds", "It holds", ("core",))
    behind = Finding(Trouble.SERVICE, "its selector is {}", advice="look at `kubectl get svc`")
    finding = Finding(Cause.NEVER_READY, "its pod is ready, but …", advice=behind.remedy, behind=behind)
    error = Refused(load("gateway"), finding)
    staying = Failure(scenario, "Given the live release", 7, error, is_given=True)
    gone = replace(staying, cluster_stays=False)
    assert staying.advice().remedy == "look at `kubectl get svc`"
    assert gone.advice().remedy.startswith("compare the selector of Service chromadb-svc")
    for failure in (staying, gone):
        assert failure.was_not_live
        *_, trouble, remedy = failure.sentences(ROOT)
        assert trouble == "trouble:  the Service leads to no pod: its selector is {}"
        assert remedy == f"to do:    {failure.advice().remedy}"
    assert not replace(staying, is_given=False).was_not_live, "a promise that the release goes live is broken"
    assert not replace(staying, error=AssertionError("no")).was_not_live


def test_who_asks_for_tracebacks_gets_them_and_the_evidence_has_them_always(refused: Miniature) -> None:
    assert "raise refused()" not in refused.run("features/").out
    bundle = refused.root / "reports" / "evidence" / "access" / "one_is_refused"
    assert "raise refused()" in (bundle / "traceback.txt").read_text()
    assert "raise refused()" in refused.run("features/", "--full-trace").out


def test_verbosely_each_scenario_that_could_not_run_has_its_line(refused: Miniature) -> None:
    out = refused.run("features/", "-v").out
    assert all(f"✗ {name} are refused" in out for name in ("Two", "Three"))
