"""Puts failures for one cause together, and tells each cause once: how many scenarios, why, and what to do; pure."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from support.diagnosis.findings import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from support.reporting.verdict import Result

# What differs between failures for one reason: ids, numbers, and what is quoted.
_PARTICULAR: Final = re.compile(r"[0-9a-f]{8}[0-9a-f-]{4,}|\d+(?:\.\d+)?|\"[^\"]*\"|'[^']*'")
# Where the step stands, at the end of what was promised.
_PLACE: Final = re.compile(r"\((?P<place>\S+\.feature:\d+)\)$")
# Lines of what was promised and seen that are told of the first failure of a block; the rest stands in its evidence.
_TOLD_LINES: Final = 10
_INDENT: Final = "  "
# Characters of a line that says why: a reader gets all of it, but for what an answer may hold.
_WHOLE: Final = 400
# Scenarios or outlines of a block that have a line each, and how many have one where there are more.
_MANY: Final = 5
_FEW: Final = 3


@dataclass(frozen=True)
class Block:
    """Failures for one cause, in the order in which they came; or scenarios that could not run for one.

    `said` is what the block before says to do.
    """

    results: tuple[Result, ...]
    said: str = ""

    @property
    def first(self) -> Result:
        """The one whose words are told."""
        return self.results[0]

    @property
    def cause(self) -> str:
        """Why they failed; where one of them was seen closer than the others, in its words."""
        return max((one.cause for one in self.results), key=len) or self.first.reason

    @property
    def remedy(self) -> str:
        """What to do, as the one says that was seen closest."""
        return max(self.results, key=lambda one: len(one.cause)).remedy

    @property
    def headline(self) -> str:
        """How many scenarios, and why."""
        scenarios = "1 scenario" if len(self.results) == 1 else f"{len(self.results)} scenarios"
        if self.first.outcome == "not_run":
            return f"not run: {scenarios}, since the release is not live: {self.cause}"
        shared = "" if len(self.results) == 1 else " for one trouble" if self.first.trouble else " alike"
        return f"{scenarios} failed{shared}: {self.cause}"

    def in_short(self, width: int) -> Iterator[str]:
        """Yield the headline and what to do, unless that was said."""
        yield cut(self.headline, max(width, _WHOLE))
        if self.remedy and self.remedy == self.said:
            yield f"{_INDENT}to do: as above"
        elif self.remedy:
            yield f"{_INDENT}to do: {self.remedy}"
        elif self.first.evidence:
            yield f"{_INDENT}to do: read {self.first.evidence}/failure.txt"

    def lines(self, width: int) -> Iterator[str]:
        """Yield all that is told of it: why, what to do, what was promised and seen, and which scenarios.

        `width` in characters.
        """
        yield from self.in_short(width)
        words = self.first.message.splitlines()
        seen = [line for line in words if not line.startswith(("where:", "trouble:", "to do:"))]
        where = [line for line in words if line.startswith("where:")]
        more = [f"(and {len(seen) - _TOLD_LINES} more in its failure.txt)"] * (len(seen) > _TOLD_LINES)
        # Where the headline names no cause, what was seen is all that there is.
        whole = width if self.first.cause else max(width, _WHOLE)
        for line in (*seen[:_TOLD_LINES], *more, *where):
            yield cut(f"{_INDENT}{line}", whole)
        if self.first.evidence and self.remedy:
            yield f"{_INDENT}evidence: {self.first.evidence}"
        yield from self._scenarios(width)

    def _scenarios(self, width: int) -> Iterator[str]:
        """Yield which scenarios they are, the examples of an outline in one; what was seen stands there once.

        Of many only the first have a line: the others stand above, where they ran, and in the reports.
        """
        told = {general(self.first.reason)}
        named = 0
        for feature, results in _grouped(self.results, lambda one: one.scenario.feature):
            if self.first.outcome == "not_run":
                yield f"{_INDENT}{feature}: {len(results)}"
                continue
            yield f"{_INDENT}{feature}"
            outlines = [examples for _, examples in _grouped(results, outline)]
            shown = len(outlines) if named + len(outlines) <= _MANY else max(0, _FEW - named)
            for examples in outlines[:shown]:
                yield f"{_INDENT * 2}{_title(examples)}"
                other = next((one for one in examples if general(one.reason) not in told), None)
                if other:
                    told.update(general(one.reason) for one in examples)
                    promised = self.first.reason.partition("; seen: ")[0]
                    yield cut(f"{_INDENT * 3}{other.reason.removeprefix(f'{promised}; ')}", width)
            named += shown
            if rest := outlines[shown:]:
                yield from textwrap.wrap(
                    _places(rest), width, initial_indent=_INDENT * 2, subsequent_indent=_INDENT * 3
                )


def blocks(results: Iterable[Result]) -> list[Block]:
    """Return the failures among results, one block for each cause: first what could not run, then what concerns most.

    That nothing answers comes last: what is known more closely says why. Failures of no known trouble are alike when
    their reasons differ in numbers, ids and quotations alone, or when it was the same line of a feature that failed.
    """
    found: list[tuple[set[str], list[Result]]] = []
    for result in results:
        if result.outcome in {"failed", "not_run"}:
            signs = _signs(result)
            alike = next((one for one in found if one[0] & signs), None)
            if alike is None:
                found.append((signs, [result]))
            else:
                alike[0].update(signs)
                alike[1].append(result)
    ordered = sorted(
        (Block(tuple(ours)) for _, ours in found),
        key=lambda one: (
            one.first.outcome != "not_run",
            one.first.trouble == Trouble.SILENCE,
            -len(one.results),
        ),
    )
    said = ["", *(block.remedy for block in ordered)]
    return [replace(block, said=one) for block, one in zip(ordered, said, strict=False)]


def general(reason: str) -> str:
    """Return a reason without what differs between failures for one reason."""
    return _PARTICULAR.sub("…", reason)


def cut(line: str, width: int) -> str:
    """Return a line, no longer than that."""
    return line if len(line) <= width else f"{line[: width - 1]}…"


def outline(result: Result) -> str:
    """Return what the examples of an outline have in common."""
    return result.nodeid.partition("[")[0]


def _grouped(results: Iterable[Result], key: Callable[[Result], str]) -> Iterable[tuple[str, list[Result]]]:
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(key(result), []).append(result)
    return found.items()


def _signs(result: Result) -> set[str]:
    """Return what a failure has in common with others for the same cause."""
    if result.trouble:
        return {f"{result.outcome}: {result.trouble}"}
    step = _PLACE.search(result.message.partition("\n")[0])
    return {f"failed: {general(result.reason)}", *([f"failed at {step['place']}"] if step else ())}


def _places(outlines: Sequence[Sequence[Result]]) -> str:
    """Say where scenarios of one feature stand, and of how many examples each."""
    examples = [f" ({len(each)} examples)" if len(each) > 1 else "" for each in outlines]
    lines = [f"{each[0].scenario.line}{more}" for each, more in zip(outlines, examples, strict=True)]
    return f"and {sum(map(len, outlines))} more in {outlines[0][0].scenario.file}, lines {', '.join(lines)}"


def _title(examples: Sequence[Result]) -> str:
    more = len(examples) - 1
    also = f" (and {more} more example{'s' * (more > 1)})" if more else ""
    return f"{examples[0].scenario.name}{also}  {examples[0].scenario.place}"
