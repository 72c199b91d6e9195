"""Tells GitHub Actions what a run came to: annotations beside the scenarios, and a summary of the job."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from support.reporting.blocks import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from support.reporting.verdict import Outcomes, Result

# GitHub shows ten errors of a step, and cuts a summary of more than a megabyte.
_MOST_ANNOTATIONS: Final = 10
_MOST_CAUSES: Final = 50
_MOST_CHARACTERS: Final = 4000
# What Markdown, or the HTML in it, would take for more than a character.
_MARKED: Final = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_COUNTS: Final = ("passed", "failed", "not_run", "flaky", "skipped", "not_applicable", "left_out")


def tell(outcomes: Outcomes, environ: Mapping[str, str], root: Path) -> Iterator[str]:
    """Write the summary and yield the annotations, a line each, as far as the environment asks for them.

    `root` is the checkout. Where the summary cannot be written, a line says so: the reports hold all of it.
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        yield from annotate(outcomes, root, environ.get("GITHUB_WORKSPACE", ""))
    if file := environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(file).open("a", encoding="utf-8") as summary_file:
                summary_file.writelines(f"{line}\n" for line in summary(outcomes))
        except OSError as error:
            why = error.strerror or type(error).__name__
            yield f"the summary of the job cannot be written ({why}): GITHUB_STEP_SUMMARY={file}"


def annotate(outcomes: Outcomes, root: Path, workspace: str = "") -> Iterator[str]:
    """Yield one annotation for each cause, as the log of a job takes it; never more than GitHub shows."""
    below = os.path.relpath(root, workspace) if workspace and root.is_relative_to(workspace) else "."
    told = [_command("error", message, title=kind) for kind, message in outcomes.amiss]
    for kind, causes in (("error", _failed(outcomes)), ("warning", _flaky(outcomes))):
        for results in causes:
            scenario = results[0].scenario
            file = os.path.normpath(Path(below, scenario.file))
            told.append(
                _command(kind, _said(results[0]), file=file, line=str(scenario.line), title=_title(results))
            )
    yield from told[:_MOST_ANNOTATIONS]
    if (more := len(told) - _MOST_ANNOTATIONS) > 0:
        yield f"({more} more causes stand in the reports)"


def summary(outcomes: Outcomes) -> Iterator[str]:
    """Yield the lines of a summary in Markdown: the verdict, what each level came to, and each failure with what to do."""
    yield f"## chroma-conformance: {outcomes.verdict}"
    yield from ("", f"| level | verdict | {' | '.join(name.replace('_', ' ') for name in _COUNTS)} |")
    yield f"|---|---|{'---:|' * len(_COUNTS)}"
    for name, level in outcomes.levels.items():
        counts = " | ".join(str(getattr(level, count)) for count in _COUNTS)
        yield f"| {name} | **{level.verdict}** | {counts} |"
    yield ""
    yield from (f"* **{_plain(kind)}**: {_plain(line)}" for kind, line in outcomes.amiss)
    for heading, causes in (
        ("Failed, or could not run", _failed(outcomes)),
        ("Flaky: passed only when it ran again", _flaky(outcomes)),
    ):
        if causes:
            yield from ("", f"### {heading}")
        for results in causes[:_MOST_CAUSES]:
            yield from ("", f"**{_plain(_title(results))}**", "")
            yield from _fenced(_said(results[0]))
            yield from (
                f"* `{one.scenario.place}` {_plain(one.scenario.name)}" for one in results[:_MOST_CAUSES]
            )
        if (more := len(causes) - _MOST_CAUSES) > 0:
            yield from ("", f"{more} more causes stand in the reports.")
    yield ""


def _failed(outcomes: Outcomes) -> list[Sequence[Result]]:
    """Return what failed or could not run, those for one cause together."""
    return [block.results for block in blocks(outcomes.results)]


def _flaky(outcomes: Outcomes) -> list[Sequence[Result]]:
    return [(result,) for result in outcomes.results if result.outcome == "flaky"]


def _title(results: Sequence[Result]) -> str:
    scenario, more = results[0].scenario, len(results) - 1
    return f"{scenario.feature}: {scenario.name}" + (f" (and {more} more)" if more else "")


def _said(result: Result) -> str:
    said = result.message or result.reason
    return said if len(said) <= _MOST_CHARACTERS else f"{said[:_MOST_CHARACTERS]}…"


def _command(kind: str, message: str, **properties: str) -> str:
    """Return a command of a workflow, escaped as GitHub's own toolkit does it."""
    stated = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {stated}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _plain(text: str) -> str:
    return _MARKED.sub(r"\\\1", " ".join(text.split()))


def _fenced(text: str) -> Iterator[str]:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}text", *text.splitlines(), fence)
