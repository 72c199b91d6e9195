"""Notes what became of each step of a scenario, and how long it took."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class StepLog:
    """The steps of one scenario, in the order in which they run."""

    def __init__(self, steps: Sequence[str]) -> None:
        self._steps = steps
        self._ended: list[tuple[str, float]] = []  # the outcome and the seconds of each that has run
        self._began = time.monotonic()

    def begin(self) -> None:
        """Note that the next step begins."""
        self._began = time.monotonic()

    def end(self, outcome: str) -> None:
        """Note what the step came to that began last."""
        self._ended.append((outcome, time.monotonic() - self._began))

    def lines(self) -> Iterator[str]:
        """Say of each step what it came to; those after a failure have not run."""
        for step, (outcome, seconds) in zip(self._steps, self._ended, strict=False):
            yield f"{outcome:<7} {seconds:7.3f} s  {step}"
        for step in self._steps[len(self._ended) :]:
            yield f"not run            {step}"
