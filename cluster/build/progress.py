"""Tells people on stderr what long work is going on, how far it is, and afterwards where the time went."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

REDRAW = 0.5
"""Seconds between two looks at the live line of a terminal."""

SIGN_OF_LIFE = 30.0
"""Seconds of silence after which a log gets a line: less than what CI takes for a hang."""

_ERASE_LINE = "\r\033[2K"


@dataclass(slots=True)
class Timing:
    """How long one stage took, in seconds, and inside how many others it ran (0: on its own)."""

    title: str
    seconds: float
    depth: int


class Stage:
    """One piece of long work that is under way."""

    def __init__(self, title: str, out: TextIO) -> None:
        self.title = title
        self._out = out
        self._live = out.isatty()
        self._start = time.monotonic()
        self._progress = ""
        self._inner = 0
        self._ended = threading.Event()
        # A daemon, so that it can never hold up the end of the program.
        self._clock = threading.Thread(target=self._tick, name="progress", daemon=True)

    @property
    def seconds(self) -> float:
        """Seconds since the stage began."""
        return time.monotonic() - self._start

    def advance(self, done: int, total: int) -> None:
        """Say how far the work is: done of total pieces, whatever a piece is."""
        self._progress = f"{done} of {total}, {done * 100 // max(total, 1)} %, "

    def doing(self, what: str) -> None:
        """Say what is being done now where that cannot be counted."""
        self._progress = f"{what}, "

    def _begin(self) -> None:
        if not self._live:
            self._line(f"{self.title} ...")
        self._clock.start()

    def _end(self, verdict: str) -> None:
        self._ended.set()
        self._clock.join()
        erase = _ERASE_LINE if self._live else ""
        self._line(f"{erase}{self.title}: {verdict} {self.seconds:.1f} s")

    def _tick(self) -> None:
        while not self._ended.wait(REDRAW if self._live else SIGN_OF_LIFE):
            if self._inner:
                continue
            state = f"{self.title} ... {self._progress}{self.seconds:.0f} s"
            if self._live:
                self._write(f"{_ERASE_LINE}{state}")
            else:
                self._line(state)

    def _step_back(self) -> None:
        """Leave the terminal's last line to a stage inside this one."""
        self._inner += 1
        if self._live:
            self._write(_ERASE_LINE)

    def _step_forward(self) -> None:
        self._inner -= 1

    def _line(self, text: str) -> None:
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        # In one piece, so that the lines of several processes on one log stay whole.
        self._out.write(text)
        self._out.flush()


class Timings:
    """The stages of one run with their durations; `out` (stderr) hears about each."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.records: list[Timing] = []
        self._out = sys.stderr if out is None else out
        self._depth = 0

    @contextmanager
    def stage(self, title: str) -> Iterator[Stage]:
        """Announce the work of the `with` block, and record how long it took however it ended."""
        stage = Stage(title, self._out)
        timing = Timing(title, 0.0, self._depth)
        self.records.append(timing)
        outer = _under_way.get()
        if outer is not None:
            outer._step_back()  # noqa: SLF001 - a stage begins, ends and gives way here only
        reset = _under_way.set(stage)
        self._depth += 1
        stage._begin()  # noqa: SLF001 - likewise
        verdict = "failed after"
        try:
            yield stage
            verdict = "done in"
        finally:
            timing.seconds = stage.seconds
            self._depth -= 1
            _under_way.reset(reset)
            stage._end(verdict)  # noqa: SLF001 - likewise
            if outer is not None:
                outer._step_forward()  # noqa: SLF001 - likewise

    def note(self, text: str) -> None:
        """Tell one line that is worth knowing but takes no time."""
        self._out.write(f"{text}\n")
        self._out.flush()

    def table(self) -> str:
        """Return where the time went, a line for each stage, or an empty text when nothing took time."""
        if not self.records:
            return ""
        lines = [f"{timing.seconds:8.1f} s  {'  ' * timing.depth}{timing.title}" for timing in self.records]
        total = sum(timing.seconds for timing in self.records if timing.depth == 0)
        return "\n".join([*lines, f"{total:8.1f} s  in all"])


_under_way: ContextVar[Stage | None] = ContextVar("_under_way", default=None)


def stage(title: str, timings: Timings | None = None) -> AbstractContextManager[Stage]:
    """Announce the work of the `with` block; recorded where timings are given."""
    return (timings or Timings()).stage(title)


def under_way() -> Stage | None:
    """Return the innermost stage under way, for work that was not handed its stage; None outside of any."""
    return _under_way.get()
