"""A run is judged by what its scenarios came to, and by those it did not try."""

from collections.abc import Sequence
from typing import Any

import pytest

from support.reporting.scenario import Scenario
from support.reporting.verdict import Outcome, Result, Results, judge, overall


def _scenario(name: str, *tags: str) -> Scenario:
    return Scenario("features/a.feature", 3, "A", "It holds", name, tags or ("core",))


def _result(name: str, outcome: Outcome, *tags: str, **facts: Any) -> Result:
    return Result(f"features/a.feature::{name}", _scenario(name, *tags), outcome, 1.0, **facts)


def _verdicts(
    there: Sequence[Scenario], results: Sequence[Result], broken: Sequence[str] = ()
) -> dict[str, str]:
    return {name: level.verdict for name, level in judge(there, results, broken).items()}


ONE, TWO, MORE = _scenario("one"), _scenario("two"), _scenario("more", "extended", "needs-ingress")


def test_success_is_all_and_nothing_less() -> None:
    assert _verdicts([ONE, TWO], [_result("one", "passed"), _result("two", "passed")]) == {"core": "success"}
    assert _verdicts([ONE, TWO], [_result("one", "passed"), _result("two", "skipped")]) == {"core": "partial"}
    assert _verdicts([ONE, TWO], [_result("one", "passed")]) == {"core": "partial"}
    assert _verdicts([ONE, TWO], [_result("one", "skipped"), _result("two", "failed")]) == {"core": "failure"}
    assert _verdicts([ONE], [_result("one", "passed")], ["b.feature: cannot be read"]) == {"core": "failure"}
    assert _verdicts([], [], ["b.feature: cannot be read"]) == {"core": "failure"}
    assert _verdicts([], []) == {}


def test_what_does_not_concern_the_release_does_not_spoil_its_verdict_and_proves_nothing() -> None:
    not_applicable = _result("two", "skipped", not_applicable=True)
    assert _verdicts([ONE, TWO], [_result("one", "passed"), not_applicable]) == {"core": "success"}
    assert _verdicts([ONE, TWO], [_result("one", "skipped"), not_applicable]) == {"core": "partial"}
    assert _verdicts([ONE, TWO], [not_applicable]) == {"core": "partial"}
    assert _verdicts([TWO], [not_applicable]) == {"core": "partial"}
    level = judge([ONE, TWO], [_result("one", "passed"), not_applicable], [])["core"]
    assert (level.passed, level.skipped, level.not_applicable, level.because) == (1, 0, 1, ())


def test_what_could_not_run_is_no_success() -> None:
    results = [_result("one", "passed"), _result("two", "not_run", reason="the release is not live: why")]
    assert _verdicts([ONE, TWO], results) == {"core": "failure"}
    level = judge([ONE, TWO], results, [])["core"]
    assert (level.not_run, level.failed, level.left_out, level.there) == (1, 0, 0, 2)
    assert level.because == ("1 of 2 scenarios could not run: the release is not live: why",)


def test_each_level_is_judged_by_itself() -> None:
    results = [_result("one", "passed"), _result("two", "passed"), _result("more", "failed", "extended")]
    assert _verdicts([ONE, TWO, MORE], results) == {"core": "success", "extended": "failure"}


def test_a_verdict_says_why() -> None:
    because = judge([ONE, TWO, MORE], [_result("one", "skipped", reason="no ingress")], [])["core"].because
    assert because == ("one: no ingress", "1 of 2 scenarios were not run")


def test_the_whole_is_as_good_as_its_worst_part() -> None:
    levels = judge([ONE, MORE], [_result("one", "passed"), _result("more", "failed", "extended")], [])
    assert overall(levels.values()) == "failure"
    assert overall([levels["core"]]) == "success"
    assert overall([]) == "partial"


def test_a_scenario_of_no_level_counts_as_core() -> None:
    assert _scenario("stray", "needs-ingress").level == "core"
    assert MORE.level == "extended"
    assert MORE.needs == ("ingress",)


def _report(when: Any, outcome: Any, longrepr: Any = None, **facts: Any) -> pytest.TestReport:
    properties = ONE.properties()
    return pytest.TestReport(
        "features/a.feature::one",
        ("", 0, ""),
        {},
        outcome,
        longrepr,
        when,
        (),
        1.0,
        user_properties=properties,
        **facts,
    )


@pytest.mark.parametrize(
    ("phases", "outcome", "reason"),
    [
        ([("setup", "passed"), ("call", "passed"), ("teardown", "passed")], "passed", ""),
        (
            [("setup", "skipped", ("f", 1, "Skipped: no ingress")), ("teardown", "passed")],
            "skipped",
            "no ingress",
        ),
        (
            [("setup", "passed"), ("call", "failed", "E  it broke"), ("teardown", "passed")],
            "failed",
            "it broke",
        ),
        (
            [("setup", "failed", "no cluster"), ("teardown", "passed")],
            "failed",
            "setup of the fixtures: no cluster",
        ),
        (
            [("setup", "passed"), ("call", "passed"), ("teardown", "failed", "not gone")],
            "failed",
            "teardown of the fixtures: not gone",
        ),
        (
            [("setup", "passed"), ("call", "failed", "it broke"), ("teardown", "failed", "not gone")],
            "failed",
            "it broke",
        ),
    ],
)
def test_all_phases_of_a_scenario_count(phases: Any, outcome: str, reason: str) -> None:
    results = Results()
    for phase in phases:
        results.pytest_runtest_logreport(_report(*phase))
    (result,) = results.ended()
    assert (result.scenario, result.outcome, result.reason) == (ONE, outcome, reason)
    assert result.seconds == len(phases)


def test_an_interrupted_scenario_has_come_to_nothing() -> None:
    results = Results()
    results.pytest_runtest_logreport(_report("setup", "passed"))
    assert results.ended() == []


def test_ordinary_tests_are_nothing_to_judge() -> None:
    results = Results()
    results.pytest_runtest_logreport(
        pytest.TestReport("tests/test_a.py::b", ("", 0, ""), {}, "failed", "no", "call")
    )
    assert results.ended() == []


def test_a_worker_that_dies_takes_its_scenario_with_it() -> None:
    results = Results()
    died: Any = "???"  # what xdist says
    results.pytest_runtest_logreport(
        pytest.TestReport(
            "features/a.feature::test_one", ("", 0, ""), {}, "failed", "worker 'gw0' crashed", died
        )
    )
    (result,) = results.ended()
    assert (result.scenario.file, result.scenario.name, result.outcome) == (
        "features/a.feature",
        "test_one",
        "failed",
    )
    assert result.scenario.level == "core"
