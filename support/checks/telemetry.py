"""Looks whether a live release was asked to tell its makers nothing of its use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.core.promises import PromiseBroken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.deploy.live import Live

# The documented value; 0.5.23 understands it in any case, and under this name alone (measured).
_OFF: Final = "FALSE"


def assert_off(live: Live, variables: Mapping[str, str]) -> None:
    """Assert that telemetry is switched off by the variable that the release's version honours."""
    name = live.release.telemetry or ""
    found = ", ".join(f"{each}={value}" for each, value in variables.items() if "TELEMETRY" in each)
    assert variables.get(name) == _OFF, (
        f"telemetry is not switched off: {live.release.chroma.image} honours {name}={_OFF}, "
        f"and has {found or 'nothing of the kind'}"
    )


def assert_unmentioned(log: str) -> None:
    """Assert that a log does not mention telemetry: a report that fails is an error at each act of a user."""
    found = [line for line in log.splitlines() if "telemetry" in line.lower()]
    if found:
        raise PromiseBroken("no word of telemetry in Chroma's log", f"{len(found)} lines: {found[-1]}")
