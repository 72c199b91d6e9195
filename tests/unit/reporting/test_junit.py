"""JUnit holds what a reader of nothing else has to know, in the form that Jenkins and Surefire read; conformance.json has the same facts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from support.reporting.junit import write_junit
from support.reporting.scenario import Scenario
from support.reporting.verdict import Attempt, Outcome, Result

if TYPE_CHECKING:
    from pathlib import Path

    from tests.miniature import Miniature

# What the schemas of Jenkins (xunit-plugin, junit-10.xsd) and of Surefire (surefire-test-report.xsd) both take, and which children
# an element may have, in Surefire's order.
INTERIM = ("stackTrace", "system-out", "system-err")
ELEMENTS: dict[str, tuple[set[str], tuple[str, ...]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, ("testsuite",)),
    "testsuite": (
        {"name", "time", "tests", "failures", "errors", "skipped", "timestamp"},
        ("properties", "testcase"),
    ),
    "testcase": (
        {"name", "classname", "time"},
        (
            "failure",
            "rerunFailure",
            "flakyFailure",
            "skipped",
            "error",
            "rerunError",
            "flakyError",
            "system-out",
            "system-err",
        ),
    ),
    **{name: ({"message", "type"}, ()) for name in ("failure", "error")},
    "skipped": ({"message"}, ()),
    **{
        name: ({"message", "type"}, INTERIM)
        for name in ("rerunFailure", "flakyFailure", "rerunError", "flakyError")
    },
    **{name: (set(), ()) for name in ("stackTrace", "system-out", "system-err")},
    "properties": (set(), ("property",)),
    "property": ({"name", "value"}, ()),
}
# What stands beyond them, since readers look for it, as pytest's own JUnit does.
BEYOND: dict[str, tuple[set[str], tuple[str, ...]]] = {
    "testcase": ({"file", "line", "timestamp"}, ("properties",))
}
NEEDED = {
    "testsuite": {"name", "tests", "failures", "errors", "skipped"},
    "testcase": {"name", "time"},
    **{name: {"type"} for name in ("failure", "error", "rerunFailure", "flakyFailure")},
    "property": {"name", "value"},
}
SUREFIRE_TIME = re.compile(r"\d+(\.\d{0,3})?")
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
EARLIER = Attempt("it broke", "promised: a\nseen: b", "E  it broke", "PromiseBroken")


def complaints(element: ET.Element) -> list[str]:
    """Say where an element, or one below it, is not as the schemas want it."""
    name = element.tag
    attributes, children = ELEMENTS[name]
    more_attributes, first_children = BEYOND.get(name, (set[str](), ()))
    found = [f"{name}: attribute {one}" for one in set(element.attrib) - attributes - more_attributes]
    found += [f"{name}: no attribute {one}" for one in NEEDED.get(name, set()) - set(element.attrib)]
    order = (*first_children, *children)
    tags = [child.tag for child in element]
    found += [f"{name}: child {tag}" for tag in set(tags) - set(order)]
    if not found and tags != sorted(tags, key=order.index):
        found.append(f"{name}: children in the order {tags}")
    if not SUREFIRE_TIME.fullmatch(element.get("time", "0")):
        found.append(f"{name}: time {element.get('time')}")
    if not STAMP.fullmatch(element.get("timestamp", "2026-01-01T00:00:00.000+00:00")):
        found.append(f"{name}: timestamp {element.get('timestamp')}")
    return [*found, *(complaint for child in element for complaint in complaints(child))]


def result(name: str, outcome: Outcome, **facts: Any) -> Result:
    scenario = Scenario("features/a.feature", 3, "A", "It holds", name, ("core",))
    return Result(f"features/a.feature::{name}", scenario, outcome, 1.00049, **facts)


def written(file: Path, *results: Result, amiss: tuple[tuple[str, str], ...] = ()) -> ET.Element:
    write_junit(file, results, BEGAN, amiss)
    return ET.parse(file).getroot()


ALL = (
    result("passed", "passed", started=10.0, steps=("passed  1 s  Given a",), worker="gw0"),
    result(
        "failed",
        "failed",
        reason="it broke",
        message="promised: one\nseen:     none & <more>",
        detail="E  it \x1b[1mbroke\x00",
        error="PromiseBroken",
        trouble="nothing answers",
        remedy="look at the pod",
        started=5.0,
        earlier=(EARLIER,),
    ),
    result("skipped", "skipped", reason="no ingress"),
    result("flaky", "flaky", reason="passed only when it ran again", earlier=(EARLIER,)),
)


def test_its_form_is_what_jenkins_and_surefire_read(tmp_path: Path) -> None:
    root = written(tmp_path / "junit.xml", *ALL, amiss=(("Unfinished", "the run has not finished"),))
    assert not complaints(root)
    suite, of_run = root
    counts = [suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped", "time")]
    assert counts == ["A", "4", "1", "0", "1", "4.0"]
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "1", "1")
    assert of_run.find("testcase/error[@type='Unfinished']") is not None


def test_a_failure_is_whole(tmp_path: Path) -> None:
    root = written(tmp_path / "junit.xml", *ALL)
    case = root.find(".//testcase[@name='failed']")
    assert case is not None
    assert case.get("classname") == "features.a"
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib == {"type": "PromiseBroken", "message": "promised: one\nseen:     none & <more>"}
    assert failure.text == "E  it \ufffd[1mbroke\ufffd", "what XML cannot carry spoils the file"
    told = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert (told["trouble"], told["remedy"], told["rule"]) == (
        "nothing answers",
        "look at the pod",
        "It holds",
    )
    assert case.findtext("rerunFailure/stackTrace") == "E  it broke"


def test_what_passed_when_it_ran_again_is_no_plain_pass(tmp_path: Path) -> None:
    root = written(tmp_path / "junit.xml", *ALL)
    flaky = root.find(".//testcase[@name='flaky']/flakyFailure")
    assert flaky is not None
    assert flaky.get("message") == "promised: a\nseen: b"
    assert root.find(".//testcase[@name='flaky']//property[@value='flaky']") is not None


def test_a_suite_begins_with_its_first_case(tmp_path: Path) -> None:
    (suite,) = written(tmp_path / "junit.xml", *ALL)
    assert suite.get("timestamp") == "1970-01-01T00:00:05.000+00:00"
    cases = {case.get("name"): case.get("timestamp") for case in suite}
    assert cases["passed"] == "1970-01-01T00:00:10.000+00:00"
    assert cases["skipped"] is None, "a start that nobody knows was made up"
    (suite,) = written(tmp_path / "junit.xml", result("skipped", "skipped"))
    assert suite.get("timestamp") == "2026-01-01T00:00:00.000+00:00"


FEATURE = """
    @core
    Feature: First
      Scenario: It holds
        Given a beginning
        Then it holds

      Scenario: It fails
        Given a beginning
        When it is done
        Then it fails
        And it holds
    """
STEPS = """
from support.core.errors import SuiteError

@given("a beginning")
def beginning(): time.sleep(0.05)

@when("it is done")
def done(): pass

@then("it holds")
def holds(): pass

@then("it fails")
def fails(inventory, run):
    raise SuiteError(f"no answer for {run.password}", remedy="look at the pod")
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_both_reports_tell_when_each_scenario_began_and_what_became_of_its_steps(
    miniature: Miniature, workers: int
) -> None:
    miniature.feature("first", FEATURE)
    miniature.feature("second", FEATURE.replace("First", "Second"))
    miniature.steps(STEPS)
    began = datetime.now(UTC)
    ran = miniature.run_apart("features/", "-n", str(workers))
    ended = datetime.now(UTC)
    assert ran.code == 1, ran.out + ran.err
    root = ET.parse(miniature.root / "reports" / "junit.xml").getroot()
    assert not complaints(root)
    for suite in root:
        starts = [datetime.fromisoformat(case.get("timestamp", "")) for case in suite]
        assert began < starts[0] < starts[1] < ended, "these are no real starts"
        assert suite.get("timestamp") == starts[0].isoformat(timespec="milliseconds")
        assert (starts[1] - starts[0]).total_seconds() >= 0.05
    case = root.find("testsuite[@name='First']/testcase[@name='It fails']")
    assert case is not None
    steps = (case.findtext("system-out") or "").splitlines()[:4]
    assert [re.sub(r" +[0-9.]+ s", "", line) for line in steps] == [
        "passed  Given a beginning",
        "passed  When it is done",
        "failed  Then it fails",
        "not run            And it holds",
    ]
    assert float(steps[0].split()[1]) >= 0.05

    told = {(one["feature"], one["scenario"]): one for one in miniature.report()["scenarios"]}
    failed = told["First", "It fails"]
    assert failed["steps"] == steps
    assert failed["started"] == case.get("timestamp")
    assert (failed["type"], failed["remedy"]) == ("SuiteError", "look at the pod")
    assert "type" not in told["First", "It holds"]
    assert failed["attachments"] == [
        "evidence/first/it_fails/failure.txt",
        "evidence/first/it_fails/traceback.txt",
    ]
    attached = re.findall(r"\[\[ATTACHMENT\|(.+)\]\]", case.findtext("system-out") or "")
    assert attached == [f"reports/{name}" for name in failed["attachments"]]
    assert (miniature.root / attached[0]).is_file()
    assert "[redacted]" in miniature.everything_written(), "the reports say the token"
