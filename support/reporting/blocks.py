"""Puts failures for one cause together, and tells each cause once: how many scenarios, why, and what to do; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Block:
    """Failures for one cause, in the order in which they came; or scenarios that could not run for one."""

    results: tuple[Result, ...]

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
        """Yield the headline and what to do."""
        yield self.headline if self.first.cause else cut(self.headline, width)
        if self.remedy:
            yield f"{_INDENT}to do: {self.remedy}"
        elif self.first.evidence:
            yield f"{_INDENT}to do: read {self.first.evidence}/failure.txt"

    def lines(self, width: int) -> Iterator[str]:
        """Yield all that is told of it: why, what to do, what was promised and seen, and which scenarios.

        The examples of an outline are one line, and what was seen stands there once. `width` in characters.
        """
        yield from self.in_short(width)
        words = self.first.message.splitlines()
        seen = [line for line in words if not line.startswith(("where:", "trouble:", "to do:"))]
        where = [line for line in words if line.startswith("where:")]
        more = [f"(and {len(seen) - _TOLD_LINES} more in its failure.txt)"] * (len(seen) > _TOLD_LINES)
        for line in (*seen[:_TOLD_LINES], *more, *where):
            yield cut(f"{_INDENT}{line}", width)
        if self.first.evidence and self.remedy:
            yield f"{_INDENT}evidence: {self.first.evidence}"
        told = {general(self.first.reason)}
        for feature, results in _grouped(self.results, lambda one: one.scenario.feature):
            if self.first.outcome == "not_run":
                yield f"{_INDENT}{feature}: {len(results)}"
                continue
            yield f"{_INDENT}{feature}"
            for _, examples in _grouped(results, lambda one: one.nodeid.partition("[")[0]):
                yield f"{_INDENT * 2}{_title(examples)}"
                other = next((one for one in examples if general(one.reason) not in told), None)
                if other:
                    told.update(general(one.reason) for one in examples)
                    promised = self.first.reason.partition("; seen: ")[0]
                    yield cut(f"{_INDENT * 3}{other.reason.removeprefix(f'{promised}; ')}", width)


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
    return sorted(
        (Block(tuple(ours)) for _, ours in found),
        key=lambda one: (
            one.first.outcome != "not_run",
            one.first.trouble == Trouble.SILENCE,
            -len(one.results),
        ),
    )


def general(reason: str) -> str:
    """Return a reason without what differs between failures for one reason."""
    return _PARTICULAR.sub("…", reason)


def cut(line: str, width: int) -> str:
    """Return a line, no longer than that."""
    return line if len(line) <= width else f"{line[: width - 1]}…"


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


def _title(examples: Sequence[Result]) -> str:
    more = len(examples) - 1
    also = f" (and {more} more example{'s' * (more > 1)})" if more else ""
    return f"{examples[0].scenario.name}{also}  {examples[0].scenario.place}"
