"""How an apply ended: refused, how early, and with which objects changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.core.promises import PromiseBroken

if TYPE_CHECKING:
    from support.core.wait import Deadlines
    from support.deploy.results import Rollout
    from support.diagnosis.findings import Cause


def assert_refused(rollout: Rollout, cause: Cause) -> None:
    """Assert that a release was refused for a cause."""
    if not rollout.finding or rollout.finding.kind is not cause:
        raise PromiseBroken(f"refused because {cause}", rollout)


def assert_refused_early(rollout: Rollout, deadlines: Deadlines) -> None:
    """Assert that a release was refused for a sign, long before the deadline at which what is not live is given up.

    A third of that, as a busy machine takes its time to name the sign, and waiting for a doubtful one is early enough too.
    """
    seconds = rollout.seconds.get("refused")
    if seconds is None:
        raise PromiseBroken("refused", rollout)
    early = deadlines.live / 3
    if seconds >= early:
        raise PromiseBroken(
            f"refused before {early:g} s, a third of its time-out", f"refused after {seconds:g} s"
        )


def assert_unchanged(rollout: Rollout) -> None:
    """Assert that an apply changed no object in its namespace."""
    if rollout.changed:
        raise PromiseBroken("no object has changed", f"changed by the apply: {', '.join(rollout.changed)}")
