"""What the documented component promises leads to rules that there are, and to verdicts that say no more than was seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.reporting.traceability import Component, ComponentError, main, mistakes, overview, read, table
from support.session.collector import all_scenarios

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).parents[2]


def entry(rule: str, outcome: str, **more: Any) -> dict[str, Any]:
    return {"rule": rule, "outcome": outcome, "place": "features/access.feature:3", **more}


NOT_APPLICABLE: dict[str, Any] = {"outcome": "skipped", "not_applicable": True}


def verdicts(*entries: dict[str, Any]) -> list[str]:
    component = Component.model_validate(
        {
            "sections": [
                {"section": "A", "proved_by": ["one", "two"]},
                {"section": "B", "promises_nothing": "b"},
            ],
            "mistakes": [],
        }
    )
    lines = list(table(component, {"gateway": entries}))
    return [line.split(" | ")[-1].removesuffix(" |") for line in lines[2:]]


def test_every_rule_that_is_named_is_a_rule_of_the_features() -> None:
    there = {scenario.rule for scenario in all_scenarios(ROOT)}
    assert not Component.load().rules() - there


def test_every_rule_of_the_features_proves_a_section() -> None:
    proving = {rule for section in Component.load().sections for rule in section.proved_by}
    beyond = set(Component.load().beyond)
    assert {scenario.rule for scenario in all_scenarios(ROOT)} == proving | beyond


def test_a_section_has_proof_or_says_why_it_needs_none() -> None:
    for section in Component.load().sections:
        assert bool(section.proved_by) != bool(section.promises_nothing), section.section


@pytest.mark.parametrize(
    ("entries", "verdict"),
    [
        ([entry("one", "passed"), entry("two", "passed")], "success"),
        ([entry("one", "passed"), entry("one", "skipped"), entry("two", "passed")], "partial"),
        ([entry("one", "passed")], "partial"),
        ([entry("one", "passed"), entry("two", "failed")], "**failure**"),
        ([entry("one", "skipped"), entry("two", "skipped")], "not run"),
        ([], "not run"),
        ([entry("one", "passed"), entry("two", **NOT_APPLICABLE)], "success"),
        ([entry("one", **NOT_APPLICABLE), entry("two", **NOT_APPLICABLE)], "not of this release"),
    ],
    ids=[
        "all passed",
        "one skipped",
        "one rule left out",
        "one failed",
        "all skipped",
        "nothing run",
        "one rule does not concern the release",
        "none concerns it",
    ],
)
def test_a_section_is_judged_by_what_was_seen(entries: list[dict[str, Any]], verdict: str) -> None:
    assert verdicts(*entries) == [verdict, "-"]


def test_a_report_names_its_release_and_what_is_none_is_told(tmp_path: Path) -> None:
    file = tmp_path / "conformance.json"
    file.write_text(json.dumps({"release": "native", "scenarios": [entry("one", "passed")]}))
    assert read(file) == ("native", [entry("one", "passed")])
    file.write_text("{}")
    with pytest.raises(ComponentError, match="is no report of a run"):
        read(file)


def test_without_a_report_the_table_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "conformance.json")]) == 1
    assert "run the features first" in capsys.readouterr().err


def without_verdicts(lines: Iterable[str]) -> list[str]:
    """Return the first two cells of each line: what a run has to say of them changes from run to run."""
    return [" | ".join(line.split(" | ")[:2]) for line in lines if line.startswith("| ")]


@pytest.mark.parametrize(("page", "lines"), [("README.md", overview), ("docs/component.md", table)])
def test_a_page_shows_each_section_with_what_proves_it(
    page: str, lines: Callable[..., Iterator[str]]
) -> None:
    ran = [{"rule": one.rule, "place": one.place, "outcome": "passed"} for one in all_scenarios(ROOT)]
    shown = without_verdicts((ROOT / page).read_text(encoding="utf-8").splitlines())
    expected = without_verdicts(lines(Component.load(), {"gateway": ran}))
    assert not [line for line in expected if line not in shown], "`make table` prints them"


def test_a_page_shows_where_the_documentation_is_wrong() -> None:
    shown = (ROOT / "docs/component.md").read_text(encoding="utf-8").splitlines()
    assert not [line for line in mistakes(Component.load()) if line not in shown]
