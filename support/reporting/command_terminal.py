"""What the terminal shows of a command: its progress, and in a line what has ended it; its result goes elsewhere."""

from __future__ import annotations

from support.reporting.terminal import SpecificationReporter


class CommandReporter(SpecificationReporter):  # type: ignore[misc]  # as the reporter that it extends
    """A reporter without pytest's words about a session: that of a command is none to whoever gave it."""

    @property
    def showheader(self) -> bool:
        """Announce no session."""
        return False

    def summary_stats(self) -> None:
        """Count nothing: a command runs no test."""

    def _report_keyboardinterrupt(self) -> None:
        if memo := self._keyboardinterrupt_memo:
            why = memo.reprcrash.message if memo.reprcrash else ""
            why = why.partition("KeyboardInterrupt")[2].removeprefix(": ") or "Ctrl-C"
            self.write_line(f"interrupted by {why}")
