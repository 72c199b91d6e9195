"""A job of GitHub Actions is told each cause once, escaped and bounded, and gets a summary that holds no secret."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.reporting.github import annotate, summary, tell
from support.reporting.scenario import Scenario
from support.reporting.verdict import Outcome, Outcomes, Result, judge, overall

if TYPE_CHECKING:
    from tests.miniature import Miniature

ROOT = Path("/somewhere/checkout")


def result(name: str, outcome: Outcome, line: int = 3, **facts: Any) -> Result:
    scenario = Scenario("features/a.feature", line, "A: B", "", name, ("core",))
    return Result(f"features/a.feature::{name}", scenario, outcome, 1.0, **facts)


def outcomes(*results: Result, amiss: tuple[tuple[str, str], ...] = ()) -> Outcomes:
    levels = judge([one.scenario for one in results], results, [])
    return Outcomes(overall(levels.values()), levels, results, amiss)


def test_an_annotation_is_escaped() -> None:
    failed = result("it, fails: 100%", "failed", message="promised: 100%,\r\nseen: ::error::x")
    assert list(annotate(outcomes(failed), ROOT)) == [
        "::error file=features/a.feature,line=3,title=A%3A B%3A it%2C fails%3A 100%25::promised: 100%25,%0D%0Aseen: ::error::x"
    ]


def test_failures_for_one_cause_are_one_annotation() -> None:
    failed = [
        *(result(f"fails {i}", "failed", i, reason=f"r{i}", trouble="nothing answers") for i in range(5)),
        result("flaky", "flaky", 9, reason="passed only when it ran again"),
    ]
    one, flaky = annotate(outcomes(*failed), ROOT)
    assert one.startswith("::error file=features/a.feature,line=0,title=A%3A B%3A fails 0 (and 4 more)::")
    assert flaky.startswith("::warning file=features/a.feature,line=9,")


def test_there_are_never_more_than_github_shows() -> None:
    failed = [result(f"fails {i}", "failed", reason=f"reason {chr(65 + i)}") for i in range(30)]
    *told, last = annotate(outcomes(*failed, amiss=(("Unfinished", "the run has not finished"),)), ROOT)
    assert len(told) == 10
    assert told[0] == "::error title=Unfinished::the run has not finished"
    assert last == "(21 more causes stand in the reports)"
    assert max(map(len, annotate(outcomes(result("long", "failed", message="x" * 10**6)), ROOT))) < 5000


@pytest.mark.parametrize(
    ("workspace", "file"),
    [
        ("", "features/a.feature"),
        ("/somewhere/checkout", "features/a.feature"),
        ("/somewhere", "checkout/features/a.feature"),
        ("/elsewhere", "features/a.feature"),
    ],
)
def test_a_file_is_named_from_where_github_looks(workspace: str, file: str) -> None:
    (told,) = annotate(outcomes(result("fails", "failed", reason="r")), ROOT, workspace)
    assert f"file={file}," in told


def test_a_summary_says_verdict_counts_and_what_to_do() -> None:
    failed = result("it <fails> | *a*", "failed", 7, message="promised: a\n```\n<script>\nto do: look")
    lines = list(
        summary(outcomes(failed, result("passes", "passed"), amiss=(("NotProved", "core is | required"),)))
    )
    assert lines[0] == "## chroma-conformance: failure"
    assert "| core | **failure** | 1 | 1 | 0 | 0 | 0 | 0 | 0 |" in lines
    assert "* **NotProved**: core is \\| required" in lines
    assert r"**A: B: it \<fails\> \| \*a\***" in lines
    fenced = lines[lines.index("````text") + 1 :]
    assert fenced[: fenced.index("````")] == ["promised: a", "```", "<script>", "to do: look"]
    assert r"* `features/a.feature:7` it \<fails\> \| \*a\*" in lines


def test_a_summary_stays_below_what_github_takes() -> None:
    failed = [
        result(f"fails {i}", "failed", message=f"{i}" + "x" * 10**5, reason="x" * i) for i in range(200)
    ]
    lines = list(summary(outcomes(*failed)))
    assert sum(map(len, lines)) < 2**20
    assert "150 more causes stand in the reports." in lines


def test_only_what_the_environment_asks_for_is_told(tmp_path: Path) -> None:
    came_to = outcomes(result("fails", "failed", reason="r"))
    assert list(tell(came_to, {"GITHUB_ACTIONS": "false"}, ROOT)) == []
    assert len(list(tell(came_to, {"GITHUB_ACTIONS": "true"}, ROOT))) == 1
    file = tmp_path / "summary"
    file.write_text("of a step before\n")
    assert list(tell(came_to, {"GITHUB_STEP_SUMMARY": str(file)}, ROOT)) == []
    assert file.read_text().startswith("of a step before\n## chroma-conformance: failure\n")


FEATURE = """
    @core
    Feature: First
      Scenario: It fails
        Then it fails
    """
STEPS = """
@then("it fails")
def fails(inventory, run): raise AssertionError(f"seen: {run.password}")
"""
TOKEN = "correct-horse-Battery"


@pytest.mark.parametrize("workers", [0, 1])
def test_a_job_is_told_without_secrets(miniature: Miniature, workers: int) -> None:
    miniature.feature("first", FEATURE)
    miniature.steps(STEPS)
    file = miniature.root / "summary"
    miniature.environ |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(file),
        "GITHUB_WORKSPACE": str(miniature.root.parent),
        "ADMIN_PASSWORD": TOKEN,
    }
    ran = miniature.run_apart("features/", "-n", str(workers))
    assert ran.code == 1
    (told,) = re.findall(r"^::error file=(.+?),line=4,title=First%3A It fails::(.+)$", ran.out, re.MULTILINE)
    assert told[0] == f"{miniature.root.name}/features/first.feature"
    assert "seen: [redacted]" in told[1]
    assert "| core | **failure** | 0 | 1 |" in file.read_text()
    assert "seen: [redacted]" in file.read_text()
    assert TOKEN not in ran.out + ran.err + file.read_text()


def test_a_summary_that_cannot_be_written_is_a_line(miniature: Miniature) -> None:
    miniature.feature("first", FEATURE)
    miniature.steps('@then("it fails")\ndef fails(): pass\n')
    miniature.environ["GITHUB_STEP_SUMMARY"] = str(miniature.root)
    ran = miniature.run("features/")
    assert ran.code == 0, "a summary decides nothing"
    (line,) = [one for one in ran.out.splitlines() if "GITHUB_STEP_SUMMARY" in one]
    assert line.startswith("the summary of the job cannot be written (Is a directory)")
    assert "Traceback" not in ran.out + ran.err


def test_a_run_that_never_began_is_told_once(miniature: Miniature) -> None:
    miniature.feature("first", FEATURE)
    miniature.environ |= {
        "MINIATURE_BREAKS": "yes",
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(miniature.root / "summary"),
    }
    ran = miniature.run_apart("features/", "-n", "1")
    assert ran.code == 4
    assert ran.out.count("::error title=Broken::no kernel: install one") == 1
    assert (miniature.root / "summary").read_text().count("## chroma-conformance: failure") == 1
