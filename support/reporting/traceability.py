"""Lays the documented component beside the features: for each of its sections the rules that prove it, and their verdict.

    python -m support.reporting.traceability REPORT...     # one column for each report, by the release that it is of

The documentation itself is the platform's; traceability.yaml holds its headings, what proves them, and where it is wrong.
The first table printed is README.md's, the other two are those of docs/component.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from support.core.errors import SuiteError
from support.core.validation import explain, read_mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

COMPONENT: Final = Path(__file__).parent / "traceability.yaml"

_Text = Annotated[str, Field(min_length=1)]
# The scenarios of conformance.json, by the name of the release that the report is of.
_Reports = Mapping[str, Sequence[Mapping[str, Any]]]


class ComponentError(SuiteError):
    """Traceability.yaml or a report cannot be used; the text says which and why."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Section(_Part):
    """A section of the documentation and the Rules that prove it; a section without any says why it promises nothing."""

    section: _Text
    proved_by: tuple[_Text, ...] = ()
    promises_nothing: _Text | None = None


class Mistake(_Part):
    """A place where the documentation is wrong: what it says, what holds instead, and the Rule that shows it, if one does."""

    section: _Text
    says: _Text
    holds: _Text
    shown_by: _Text | None = None


class Component(_Part):
    """The documented component."""

    sections: tuple[Section, ...]
    mistakes: tuple[Mistake, ...]
    # Rules that say more than the documentation does.
    beyond: tuple[_Text, ...] = ()

    @classmethod
    def load(cls) -> Component:
        """Read traceability.yaml; raises `ComponentError` that names everything wrong in it."""
        try:
            return cls.model_validate(read_mapping(COMPONENT))
        except ValidationError as error:
            problems = "; ".join(f"{path}: {text}" for path, text in explain(error, cls))
            raise ComponentError(f"{COMPONENT.name}: {problems}") from None
        except ValueError as error:
            raise ComponentError(f"{COMPONENT.name} {error}") from None

    def rules(self) -> set[str]:
        """Return every Rule that is named."""
        shown = {mistake.shown_by for mistake in self.mistakes if mistake.shown_by}
        return shown.union(self.beyond, *(section.proved_by for section in self.sections))


def overview(component: Component, reports: _Reports) -> Iterator[str]:
    """Yield the lines of a table in Markdown: each section, the features that prove it, and their verdicts."""
    yield from _table(component, reports, lambda rules, places: ", ".join(_features(rules, places)))


def table(component: Component, reports: _Reports) -> Iterator[str]:
    """Yield the lines of the same table with the Rules of each feature."""
    yield from _table(component, reports, lambda rules, places: "<br>".join(_cited(rules, places)))


def mistakes(component: Component) -> Iterator[str]:
    """Yield the lines of the table of places where the documentation is wrong, in Markdown."""
    yield "| section of the documentation | it says | what holds instead |"
    yield "|---|---|---|"
    for mistake in component.mistakes:
        yield f"| {mistake.section} | {mistake.says} | {mistake.holds} |"


def read(file: Path) -> tuple[str, list[dict[str, Any]]]:
    """Return the release that a report is of, and its scenarios; raises `ComponentError`."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return str(content["release"]), list(content["scenarios"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ComponentError(
            f"{file} is no report of a run ({type(error).__name__}: {error}); run the features first"
        ) from None


def _table(
    component: Component, reports: _Reports, proof: Callable[[Sequence[str], Mapping[str, str]], str]
) -> Iterator[str]:
    yield f"| section of the documentation | proved by | {' | '.join(reports)} |"
    yield f"|---|---|{'---|' * len(reports)}"
    places = _places(entry for entries in reports.values() for entry in entries)
    for section in component.sections:
        proved = proof(section.proved_by, places) or section.promises_nothing
        verdicts = [_verdict(section.proved_by, entries) for entries in reports.values()]
        yield f"| {section.section} | {proved} | {' | '.join(verdicts)} |"


def _places(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the feature file of each Rule."""
    return {
        entry["rule"]: entry["place"].partition(":")[0].rpartition("/")[2]
        for entry in entries
        if entry.get("rule")
    }


def _features(rules: Sequence[str], places: Mapping[str, str]) -> list[str]:
    """Return the feature files of some Rules, each once."""
    return sorted({f"features/{places[rule]}" if rule in places else "not run" for rule in rules})


def _cited(rules: Sequence[str], places: Mapping[str, str]) -> Iterator[str]:
    """Yield the feature files of some Rules, each with those of them that are in it."""
    for file, ours in groupby(
        sorted(rules, key=lambda rule: places.get(rule, "")), key=lambda rule: places.get(rule, "")
    ):
        yield f"{file or 'not run'}: {' · '.join(ours)}"


def _verdict(rules: Sequence[str], entries: Sequence[Mapping[str, Any]]) -> str:
    """Judge a section: what was not run proves nothing, and one failure is enough."""
    if not rules:
        return "-"
    ours = [entry for entry in entries if entry.get("rule") in rules]
    not_applicable = {entry["rule"] for entry in ours if entry.get("not_applicable")}
    ours = [entry for entry in ours if not entry.get("not_applicable")]
    outcomes = {entry["outcome"] for entry in ours}
    if outcomes & {"failed", "not_run"}:
        return "**failure**"
    ran = {entry["rule"] for entry in ours if entry["outcome"] == "passed"}
    if not ran:
        return "not of this release" if not_applicable == set(rules) else "not run"
    return "success" if ran | not_applicable == set(rules) and "skipped" not in outcomes else "partial"


def main(arguments: Sequence[str]) -> int:
    """Print the tables; return the exit code."""
    try:
        component, reports = Component.load(), dict(read(Path(argument)) for argument in arguments)
    except ComponentError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    tables = [overview(component, reports), table(component, reports), mistakes(component)]
    sys.stdout.write("\n".join("\n".join(lines) + "\n" for lines in tables))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["reports/conformance.json"]))
