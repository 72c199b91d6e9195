"""Carries a line of progress from a step to the terminal, also from a worker of xdist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPE: Final = "chroma-conformance/progress"


class Progress(pytest.TestReport):
    """A report that says only what is going on in a scenario: pytest's way from a worker to the terminal.

    `usual`: a stage that every rollout passes, which tells only that there is life.
    """

    def __init__(self, nodeid: str, line: str, worker_id: str = "", *, usual: bool = False) -> None:
        super().__init__(
            nodeid=nodeid,
            location=("", None, ""),
            keywords={},
            outcome="passed",
            longrepr=None,
            when="progress",  # type: ignore[arg-type]  # none of the phases that other plugins count
        )
        self.line = line
        self.worker_id = worker_id
        self.usual = usual


class ProgressPlugin:
    """Sends progress on its way; a plugin of every process."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._nodeid = ""

    def send(self, line: str) -> None:
        """Tell what is going on; outside of a scenario nobody listens."""
        self._send(line, usual=False)

    def send_stage(self, line: str) -> None:
        """Tell of a stage that every rollout passes, as `send` does."""
        self._send(line, usual=True)

    def _send(self, line: str, *, usual: bool) -> None:
        if self._nodeid:
            self._config.hook.pytest_runtest_logreport(report=Progress(self._nodeid, line, usual=usual))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        """Note which scenario is under way."""
        self._nodeid = item.nodeid
        try:
            return (yield)
        finally:
            self._nodeid = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: object) -> tuple[str, str, str] | None:
        """Keep it out of pytest's own counts."""
        return ("", "", "") if isinstance(report, Progress) else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_to_serializable(self, report: object) -> dict[str, Any] | None:
        """Make it fit for the way to the controlling process."""
        if isinstance(report, Progress):
            return {
                "$report_type": _TYPE,
                "nodeid": report.nodeid,
                "line": report.line,
                "usual": report.usual,
            }
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_from_serializable(self, data: Mapping[str, Any]) -> Progress | None:
        """Take it off the way."""
        if data.get("$report_type") == _TYPE:
            return Progress(data["nodeid"], data["line"], data.get("worker_id", ""), usual=data["usual"])
        return None
