"""What a gate asks of a run beyond that nothing failed: that something was proved, and all of a level where it says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.reporting.scenario import LEVELS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from support.reporting.scenario import Scenario
    from support.reporting.verdict import Result


def unproved(
    scenarios: Sequence[Scenario],
    results: Sequence[Result],
    required: str | None,
    conceded: Collection[str] = (),
) -> Iterator[str]:
    """Say, a line each, what a run has left unproved; nothing where it proved what was asked.

    `scenarios` are all that there are, whatever was selected. `required` is a level: that one and those before it have to
    have run whole. A scenario that needs a `conceded` capability may be skipped, and one that does not concern the release
    counts as run.
    """
    if not any(result.outcome == "passed" for result in results):
        yield "no scenario passed"
    for level in LEVELS[: LEVELS.index(required) + 1] if required else ():
        of_level = [result for result in results if result.scenario.level == level]
        there = sum(one.level == level for one in scenarios)
        if there > len(of_level):
            yield f"{level} is required, and {there - len(of_level)} of its {there} scenarios were not run"
        for result in of_level:
            lacking = set(result.scenario.needs)
            if result.outcome == "skipped" and not result.not_applicable and not lacking & set(conceded):
                remedy = f" (--without {' or '.join(sorted(lacking))} concedes that)" if lacking else ""
                yield f"{level} is required, and this was skipped: {result.scenario.name}: {result.reason}{remedy}"
