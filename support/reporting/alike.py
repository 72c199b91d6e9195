"""Keeps scenarios that say no more than the one before them, so that they share a line; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.reporting.blocks import outline

if TYPE_CHECKING:
    from support.reporting.verdict import Result


class Alike:
    """Scenarios in a row that came to the same: further examples of an outline, or what could not run for one reason.

    `last` is the one that had a line of its own last.
    """

    def __init__(self) -> None:
        self.last: Result | None = None
        self._kept: list[Result] = []

    def ends_with(self, result: Result) -> bool:
        """Whether a result is of another kind than those that are kept."""
        return bool(self._kept) and self._kept[-1].outcome != result.outcome

    def takes(self, result: Result, *, known: bool) -> bool:
        """Keep a result that says no more than the one before; `known`: its reason was told."""
        if not self._is_one_more(result, known=known):
            return False
        self._kept.append(result)
        return True

    def take_out(self) -> list[Result]:
        """Return those that were kept, and keep none."""
        kept, self._kept = self._kept, []
        return kept

    def _is_one_more(self, result: Result, *, known: bool) -> bool:
        if result.outcome == "not_run":
            return known
        before = self._kept[-1] if self._kept else self.last
        if not before or result.outcome != before.outcome or outline(result) != outline(before):
            return False
        return result.outcome == "passed" or (result.outcome == "failed" and known)
