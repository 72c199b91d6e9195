"""Puts the results of several workers in an order that can be read."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from support.reporting.verdict import Result


class FeatureBuffer:
    """Puts results of several workers in an order in which each feature is read in one piece.

    The feature that is being shown is shown as its results come; the others wait for it to end.
    """

    def __init__(self, show: Callable[[Result], None]) -> None:
        self._show = show
        self._open: dict[str, list[Result]] = defaultdict(list)
        self._missing: Counter[str] = Counter()
        self._current = ""

    def expect(self, files: Iterable[str]) -> None:
        """Say for each scenario to come which file it is of."""
        self._missing = Counter(files)

    def add(self, result: Result) -> None:
        """Take a result, and tell all whose turn it is."""
        file = result.scenario.file
        self._open[file].append(result)
        self._missing[file] -= 1
        self._current = self._current or file
        while self._current in self._open:
            self._turn(self._current)
            if self._missing[self._current] > 0:
                return
            del self._open[self._current]
            # Those that have ended come first, so that nothing stands between them and the reader.
            ended = (one for one in self._open if self._missing[one] <= 0)
            self._current = next(ended, next(iter(self._open), ""))

    def close(self) -> None:
        """Tell all that is left: its feature did not come to its end."""
        for file in list(self._open):
            self._turn(file)
        self._open.clear()

    def _turn(self, file: str) -> None:
        for result in self._open[file]:
            self._show(result)
        self._open[file].clear()
