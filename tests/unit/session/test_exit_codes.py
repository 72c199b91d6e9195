"""A run ends with one of six codes, as docs/commands.md says them: each is held by a process of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from support.core.wait import wait_for
from tests.miniature import ROOT, Miniature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.miniature import Ran

FEATURE = """
    @core
    Feature: First
      Scenario: It holds
        Then it holds

      @extended
      Scenario: It fails
        Then it fails

      @needs-networkpolicy
      Scenario: It needs what is not there
        Then it holds
    """
STEPS = """
from cluster.provider import note

@then("it holds")
def holds(inventory): note("holding")

@then("it fails")
def fails(inventory): raise AssertionError("it does not hold")
"""
INTERNAL = """
def pytest_runtest_logfinish(nodeid): raise RuntimeError("a plugin broke")
"""
UNREADABLE = "Feature: A\n  Scenario: B\n    Given c\n    Nonsense\n"


@pytest.fixture
def first(miniature: Miniature) -> Miniature:
    miniature.feature("first", FEATURE)
    miniature.steps(STEPS)
    return miniature


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (0, ("-k", "holds")),
        (1, ()),
        (1, ("-x",)),
        (1, ("-n", "1")),
        (4, ("--patience", "0")),
        (4, ("--require", "everything")),
        (4, ("--no-such-option",)),
        (5, ("-k", "no_such_scenario")),
        (5, ("-k", "needs")),
        (5, ("-k", "holds", "--require", "core")),
    ],
    ids=str,
)
def test_a_run_ends_with_the_code_of_what_it_came_to(
    first: Miniature, code: int, arguments: Sequence[str]
) -> None:
    ran = first.run_apart("features/", *arguments)
    assert ran.code == code, ran.out + ran.err


def test_a_path_that_is_not_there_was_asked_wrongly(first: Miniature) -> None:
    assert first.run_apart("features/no-such.feature").code == 4


def test_a_cluster_that_lacks_something_was_asked_wrongly(first: Miniature) -> None:
    first.environ["MINIATURE_BREAKS"] = "yes"
    assert first.run_apart("features/").code == 4


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_run_that_is_interrupted_says_by_what(first: Miniature, name: str) -> None:
    first.steps(STEPS.replace('note("holding")', 'note("holding"); time.sleep(60)'))
    process = first.start("features/")
    wait_for(lambda: "holding by main" in first.log(), 60, lambda: str(first.log()))
    process.send_signal(getattr(__import__("signal"), name))
    ran = first.end(process)
    by = "Ctrl-C" if name == "SIGINT" else "SIGTERM"
    assert ran.code == 2
    assert f"not finished: {by}\n" in ran.out
    assert (first.report()["finished"], first.report()["ended_by"]) == (False, by)
    error = ET.parse(first.root / "reports" / "junit.xml").find(".//error")
    assert error is not None
    assert error.get("message") == f"the run has not finished: {by}"


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_suite_that_breaks_is_its_own_fault(first: Miniature, workers: str) -> None:
    first.fixtures(INTERNAL)
    ran = first.run_apart("features/", "-n", workers)
    _own_fault(first, ran, "the suite broke: RuntimeError: a plugin broke")


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_feature_that_cannot_be_read_is_its_own_fault(first: Miniature, workers: str) -> None:
    first.feature("second", UNREADABLE)
    _own_fault(first, first.run_apart("features/", "-n", workers), "second.feature")


def _own_fault(miniature: Miniature, ran: Ran, says: str) -> None:
    assert ran.code == 3, ran.out + ran.err
    assert miniature.report()["finished"] is False
    assert any(says in line for line in miniature.report()["broken"])
    errors = ET.parse(miniature.root / "reports" / "junit.xml").findall(".//error")
    assert any(says in (one.get("message") or "") for one in errors)


def test_the_page_lists_each_code_once() -> None:
    page = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    table = page.partition("## Exit codes")[2].partition("##")[0]
    assert re.findall(r"^\| (\d+) \|", table, re.MULTILINE) == ["0", "1", "2", "3", "4", "5"]
