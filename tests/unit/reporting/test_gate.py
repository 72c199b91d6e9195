"""A gate is closed to a run that proved nothing, or less than the level that is required."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from tests.miniature import Miniature

FEATURE = """
    Feature: First

      @core
      Scenario: It holds
        Then it holds

      @extended @needs-networkpolicy
      Scenario: It needs what is not there
        Then it holds
    """
STEPS = """
@then("it holds")
def holds(inventory): pass
"""


@pytest.fixture
def run(miniature: Miniature) -> Miniature:
    miniature.feature("first", FEATURE)
    miniature.steps(STEPS)
    return miniature


@pytest.mark.parametrize("workers", [0, 1])
def test_a_run_that_proves_nothing_does_not_end_well(run: Miniature, workers: int) -> None:
    ran = run.run("features/", "-m", "extended", *(["-n", str(workers)] if workers else []))
    assert "not proved: no scenario passed" in ran.out
    assert ran.code == 5
    assert run.report()["unproved"] == ["no scenario passed"]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        ((), 0, None),
        (("--require", "core"), 0, None),
        (
            ("--require", "core", "-m", "extended"),
            5,
            "core is required, and 1 of its 1 scenarios were not run",
        ),
        (("--require", "extended"), 5, "(--without networkpolicy concedes that)"),
        (("--require", "extended", "--without", "networkpolicy"), 0, None),
        (("--require", "extended", "--without", "ingress"), 5, "It needs what is not there"),
    ],
)
def test_what_is_required_has_to_be_proved_whole(
    run: Miniature, options: tuple[str, ...], code: int, says: str | None
) -> None:
    ran = run.run("features/", *options)
    assert ran.code == code
    assert (f"not proved: {says}" in ran.out or str(says) in ran.out) if says else "not proved" not in ran.out
    assert bool(run.report()["unproved"]) is bool(code)


def test_what_is_conceded_is_conceded_to_a_requirement(run: Miniature) -> None:
    ran = run.run("features/", "--without", "ingress")
    assert ran.code == 4
    assert "add --require core or --require extended" in ran.err
    assert run.log() == [], "a cluster was made for it"


def test_a_failure_is_told_whole_to_machines(run: Miniature) -> None:
    run.steps(
        """
        from support.core.promises import PromiseBroken

        @then("it holds")
        def holds(inventory): raise PromiseBroken("three records", "two records\\n  of which one is old")
        """
    )
    ran = run.run("features/", "-m", "core")
    assert "promised: three records; seen: two records\n" in ran.out
    (scenario,) = run.report()["scenarios"]
    assert scenario["reason"] == "promised: three records; seen: two records"
    assert scenario["message"].startswith("promised: Then it holds: three records  (features/first.feature:")
    assert "of which one is old" in scenario["message"]
    failure = ET.parse(run.root / "reports" / "junit.xml").find(".//failure")
    assert failure is not None
    assert failure.get("message") == scenario["message"]
    assert failure.get("type") == "PromiseBroken"
    attached = ET.parse(run.root / "reports" / "junit.xml").findtext(".//system-out")
    assert attached
    named = attached.partition("[[ATTACHMENT|")[2].partition("]]")[0]
    assert not Path(named).is_absolute()
    assert (run.root / named).read_text().startswith("promised: Then it holds: three records")


def test_a_directory_in_which_nothing_can_be_written_is_told_before_anything_is_made(run: Miniature) -> None:
    run.write("file", "")
    ran = run.run("features/", "--report-dir", "file/reports")
    assert ran.code == 4
    assert "--report-dir" in ran.err
    assert "no report can be written there (Not a directory); make room, or choose another" in ran.err
    assert "Traceback" not in ran.out + ran.err
    assert run.log() == [], "a cluster was made for it"


@pytest.mark.parametrize("fails", [False, True])
def test_a_report_that_can_no_longer_be_written_is_told_and_hides_no_failure(
    run: Miniature, fails: bool
) -> None:
    run.steps(
        f"""
        import shutil
        from pathlib import Path

        @then("it holds")
        def holds(inventory):
            shutil.rmtree("reports")
            Path("reports").write_text("in the way")
            assert not {fails}, "it does not hold"
        """
    )
    ran = run.run("features/", "-m", "core")
    assert ran.code == 4
    assert "no report can be written there" in ran.out
    assert ("it does not hold" in ran.out) is fails
    assert "INTERNALERROR" not in ran.out + ran.err


def test_what_interrupts_a_live_release_is_skipped_and_conceded_on_request(miniature: Miniature) -> None:
    miniature.feature("first", FEATURE.replace("@extended @needs-networkpolicy", "@core @disruptive"))
    miniature.steps(STEPS)
    ran = miniature.run("features/", "--require", "core", "--without", "disruptive")
    assert "it interrupts the live release, which --without disruptive rules out" in ran.out
    assert ran.code == 0
