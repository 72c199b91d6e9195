"""A run that verifies says beforehand what it leaves out, and at its end what it did."""

from __future__ import annotations

from collections import Counter

from support.reporting.scenario import MODE_CAPABILITIES, Scenario
from support.session.verification import _left_out, deeds, why_left_out


def scenario(*tags: str) -> Scenario:
    return Scenario("features/x.feature", 1, "X", "", "It does", tags)


def test_what_is_left_out_is_counted_by_its_reason() -> None:
    there = [
        scenario("core"),
        scenario("needs-deploying"),
        scenario("needs-deploying"),
        scenario("needs-writing"),
    ]
    assert _left_out(there, []) == []
    assert [count for count, _ in _left_out(there, ["deploying"])] == [2]
    assert [count for count, _ in _left_out(there, MODE_CAPABILITIES)] == [2, 1]


def test_the_reason_names_the_mode() -> None:
    assert why_left_out("--verify", "deploying").startswith("left out by --verify: it applies a release")


def test_a_run_that_did_nothing_says_so() -> None:
    said = list(deeds(Counter(), {}))
    assert said[0] == "to the release: 0 requests (0 reads, 0 writes), 0 records, 0.0 MiB, 0.0 s of its work"
    assert said[-1] == "made no object"


def test_what_is_still_there_stands_out() -> None:
    made = {
        "api/v1/namespaces/mine": False,
        "api/v1/namespaces/mine/pods/vantage": True,
        "api/v1/namespaces/jobs/configmaps/report": None,
    }
    said = list(deeds(Counter({"databases": 3, "databases removed": 2}), made))
    assert "made api/v1/namespaces/mine: IT IS STILL THERE" in said
    assert "made api/v1/namespaces/mine/pods/vantage, and removed it" in said
    assert "made api/v1/namespaces/jobs/configmaps/report, which stays" in said
    assert said[-1] == "made 3 databases in the release, and removed 2: 1 ARE STILL THERE"
