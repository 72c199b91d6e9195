"""The reports of whole runs: with workers and without, interrupted, killed, or without a cluster."""

import json
import signal
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from support.core.wait import wait_for
from tests.miniature import Miniature

FEATURES = {
    "first": """
        @core
        Feature: First
          Rule: Things hold

            Scenario: It holds
              Then it holds

            Scenario Outline: It <does>
              Then it <does>

              Examples:
                | does  |
                | holds |
                | fails |
        """,
    "second": """
        @extended
        Feature: Second
          Scenario: It holds here
            Then it holds

          @needs-networkpolicy
          Scenario: It needs what is not there
            Then it fails
        """,
}

STEPS = """
@then("it holds")
def holds(): pass

@then("it fails")
def fails(inventory, run):
    run.facts["kubernetes"] = "v1.34.4"
    raise AssertionError("it does not hold")
"""


@pytest.fixture
def two_features(miniature: Miniature) -> Miniature:
    for name, text in FEATURES.items():
        miniature.feature(name, text)
    miniature.steps(STEPS)
    return miniature


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_is_judged_the_same_with_workers_and_without(two_features: Miniature, workers: int) -> None:
    ran = two_features.run_apart("features/", "-n", str(workers), "--release", "gateway")
    report = two_features.report()
    assert two_features.log() == ["created by main", "deleted by main"], "a run has one cluster"
    places = {(one["feature"], one.get("worker")) for one in report["scenarios"]}
    assert len(places) == len({feature for feature, _ in places}), "a feature has been torn apart"
    assert len({worker for _, worker in places}) == max(1, workers)
    counts = {
        name: (one["passed"], one["failed"], one["skipped"], one["left_out"])
        for name, one in report["levels"].items()
    }
    assert ran.code == 1
    assert counts == {"core": (2, 1, 0, 0), "extended": (1, 0, 1, 0)}
    assert {name: one["verdict"] for name, one in report["levels"].items()} == {
        "core": "failure",
        "extended": "partial",
    }
    assert report["levels"]["extended"]["because"] == [
        "It needs what is not there: the cluster miniature has no networkpolicy"
    ]
    assert report["finished"] is True
    assert report["versions"]["kubernetes"] == "v1.34.4", "what a worker finds out must reach the report"
    assert report["versions"]["packages"]["chromadb"]
    told = {(one["rule"], one["scenario"]): one["outcome"] for one in report["scenarios"]}
    assert told == {
        ("Things hold", "It holds"): "passed",
        ("Things hold", "It fails"): "failed",
        ("", "It holds here"): "passed",
        ("", "It needs what is not there"): "skipped",
    } | {("Things hold", "It holds"): "passed"}
    failed = next(one for one in report["scenarios"] if one["outcome"] == "failed")
    assert failed["place"] == "features/first.feature:9"
    assert failed["reason"] == "AssertionError: it does not hold"
    assert (
        Path(failed["evidence"], "failure.txt")
        .read_text()
        .startswith("promised: Then it fails  (features/first.feature:10)")
    )
    assert f"--hypothesis-seed={report['hypothesis']['seed']}" in report["reproduce"]
    suites = ET.parse(two_features.root / "reports" / "junit.xml").getroot()
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("5", "1", "0")
    assert sum(int(suite.get("skipped", "0")) for suite in suites) == 1


@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_is_told_where_it_differs_and_the_report_has_each_with_its_digest(
    two_features: Miniature, workers: int
) -> None:
    ran = two_features.run("features/", *(["-n", str(workers)] if workers else []))
    assert "image: library/small:1" not in ran.out
    assert (
        "image: library/large:1 sha256:4567, not as preferred: part0 2 instead of 1; part1 2 instead of 1; "
        "part2 2 instead of 1; and 2 more\n"
    ) in ran.out
    told = json.loads((two_features.root / "reports" / "conformance.json").read_text())["images"]
    assert [(one["name"], one["digest"], len(one["differences"])) for one in told] == [
        ("library/small:1", "sha256:0123", 0),
        ("library/large:1", "sha256:4567", 5),
    ]


def test_what_is_left_out_is_told(two_features: Miniature) -> None:
    two_features.run("features/", "-k", "It_holds")
    levels = two_features.report()["levels"]
    assert (levels["core"]["verdict"], levels["core"]["left_out"]) == ("partial", 2)
    assert levels["extended"]["because"] == ["1 of 2 scenarios were not run"]


def test_a_run_that_is_killed_leaves_no_verdict_of_the_one_before(two_features: Miniature) -> None:
    two_features.run("features/first.feature")
    two_features.steps(SLOW)
    process = two_features.start("features/")
    wait_for(lambda: "holding by main" in two_features.log(), 60, lambda: str(two_features.log()))
    two_features.end(process, signal.SIGKILL)
    report = two_features.report()
    assert (report["finished"], report["verdict"], report["scenarios"]) == (False, "partial", [])
    assert not (two_features.root / "reports" / "evidence").exists()
    assert not (two_features.root / "reports" / "junit.xml").exists()


def test_foreign_directories_are_left_alone(two_features: Miniature) -> None:
    precious = two_features.write("elsewhere/evidence/precious", "")
    two_features.run("features/first.feature", "--report-dir", "elsewhere")
    assert precious.exists()
    assert json.loads((two_features.root / "elsewhere" / "conformance.json").read_text())["finished"]


# A scenario that is sure to be under way when the run is ended: whoever ends it does not wait for it.
SLOW = """
from cluster.provider import note

@pytest.fixture(scope="session")
def lasting(access):
    note("made")
    yield
    note("cleaning")
    time.sleep(1)
    note("cleaned")

@then("it holds")
def holds(lasting):
    note("holding")
    time.sleep(60)

@then("it fails")
def fails(): pass
"""


@pytest.mark.parametrize(("workers", "name"), [(0, "SIGTERM"), (2, "SIGTERM")])
def test_who_ends_a_run_leaves_nothing_behind(two_features: Miniature, workers: int, name: str) -> None:
    two_features.steps(SLOW)
    process = two_features.start("features/", "-n", str(workers))
    wait_for(
        lambda: sum("holding" in line for line in two_features.log()) >= max(1, workers),
        30,
        lambda: str(two_features.log()),
    )
    ran = two_features.end(process, signal.Signals[name])
    log = two_features.log()
    assert ran.code == 2
    assert sum("cleaned" in line for line in log) == sum("made" in line for line in log) == max(1, workers)
    assert log[-1] == "deleted by main"
    assert two_features.report()["finished"] is False


@pytest.mark.parametrize("workers", [0, 1])
def test_a_cluster_that_cannot_be_had_is_one_clear_message(two_features: Miniature, workers: int) -> None:
    two_features.environ["MINIATURE_BREAKS"] = "yes"
    ran = two_features.run_apart("features/", "-n", str(workers))
    assert ran.code == 4
    assert "ERROR: no kernel: install one" in ran.err
    assert "Traceback" not in ran.out + ran.err
    report = two_features.report()
    assert (report["finished"], report["verdict"]) == (False, "failure")
    assert report["broken"] == ["no kernel: install one"]


def test_a_run_that_never_begins_keeps_the_evidence_of_the_one_before(two_features: Miniature) -> None:
    two_features.run("features/")
    evidence = two_features.write("reports/evidence/a/b/failure.txt", "seen: nothing")
    two_features.environ["MINIATURE_BREAKS"] = "yes"
    two_features.run("features/")
    assert evidence.exists()
    del two_features.environ["MINIATURE_BREAKS"]
    two_features.run("features/")
    assert not evidence.exists()


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("breaks", [True, False])
def test_the_report_of_a_run_is_written_once(two_features: Miniature, workers: int, breaks: bool) -> None:
    two_features.fixtures("""
        from cluster.provider import note
        from support.reporting.conformance import Report
        finish = Report.finish
        Report.finish = lambda self, *given, **named: (note("finished"), finish(self, *given, **named))
    """)
    if breaks:
        two_features.environ["MINIATURE_BREAKS"] = "yes"
    two_features.run_apart("features/", "-n", str(workers))
    assert two_features.log().count("finished by main") == 1
