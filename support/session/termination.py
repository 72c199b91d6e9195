"""Ends a run as Ctrl-C does, with clean-up: at the first SIGTERM, or once its time is over."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import FrameType


class Termination:
    """What may end this process's run early; a plugin.

    A limit of pytest-timeout does not do: that of a session is looked at between tests alone, so that neither a step that hangs nor
    the boot of a cluster would be ended.
    """

    def __init__(self) -> None:
        self._why = "SIGTERM"
        self._came = False
        self.ended_by = ""  # what has ended the run, once it has
        self._timer: threading.Timer | None = None

    def heed_sigterm(self) -> None:
        """Let the first SIGTERM end the run; further ones must not disturb its clean-up."""
        signal.signal(signal.SIGTERM, self._terminated)

    def limit(self, seconds: float) -> None:
        """End the run after so many seconds as SIGTERM does, wherever it is by then; what it cleans up takes its time."""
        self._timer = threading.Timer(seconds, self._time_is_over, [seconds])
        self._timer.daemon = True
        self._timer.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note what has ended the run, which cleans up from now on."""
        self.ended_by = str(excinfo.value) or "Ctrl-C"
        self._lift_limit()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Let the run come to its end: all that is left is its clean-up and its reports."""
        self._lift_limit()

    def _lift_limit(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _time_is_over(self, seconds: float) -> None:
        if not self._came:
            self._why = f"its time was over (--time-limit {seconds:g})"
            # To the main thread, so that what it waits for is interrupted.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    def _terminated(self, _signal: int, _frame: FrameType | None) -> None:
        # Not by ignoring the signal from now on: programs that the clean-up starts would inherit that.
        if self._came:
            return
        self._came = True
        raise KeyboardInterrupt(self._why)
