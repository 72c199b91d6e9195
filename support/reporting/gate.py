"""What a gate asks of a run beyond that nothing failed: that something was proved, and all of a level where it says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from support.reporting.scenario import BUDGET, LEVELS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from support.reporting.verdict import Level, Result


class Ended(Protocol):
    """What is known of a run at its end: what its scenarios came to, and what is wrong beyond them."""

    broken: list[str]

    def ended(self) -> list[Result]:
        """Return what each scenario came to."""


def unproved(
    levels: Mapping[str, Level],
    results: Sequence[Result],
    required: str | None,
    conceded: Collection[str] = (),
) -> Iterator[str]:
    """Say, a line each, what a run has left unproved; nothing where it proved what was asked.

    `levels` say what each came to. `required` is a level: that one and those before it have to
    have run whole. A scenario that needs a `conceded` capability may be skipped, and one that does not concern the release
    counts as run.
    """
    if not any(result.outcome == "passed" for result in results):
        yield "no scenario passed"
    for level in LEVELS[: LEVELS.index(required) + 1] if required else ():
        came_to = levels.get(level)
        if came_to and came_to.left_out:
            yield f"{level} is required, and {came_to.left_out} of its {came_to.there} scenarios were not run"
        for result in (one for one in results if one.scenario.level == level):
            # Nothing concedes that: a promise that is kept now and then is not kept.
            if result.outcome == "flaky":
                yield f"{level} is required, and this was flaky: {result.scenario.name}: {result.reason}"
            lacking = {*result.scenario.needs, *([BUDGET] if result.over_budget else ())}
            if result.outcome == "skipped" and not result.not_applicable and not lacking & set(conceded):
                remedy = f" (--without {' or '.join(sorted(lacking))} concedes that)" if lacking else ""
                yield f"{level} is required, and this was skipped: {result.scenario.name}: {result.reason}{remedy}"
