"""Removes what clusters leave behind that were ended by SIGKILL, a crash, or a power cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster.host.cgroups import Cgroups
from cluster.runs import Runs

if TYPE_CHECKING:
    from pathlib import Path

    from cluster.runs import Run


def sweep(root: Path) -> list[str]:
    """Remove all that is left of dead clusters below the cache's root, and give their names.

    A run directory whose lock is free belongs to a dead cluster: the lock dies with its supervisor, and
    the supervisor's death ends all of the cluster's processes. Raises ClusterError.
    """
    names = []
    for run in Runs(root).dead():
        remove(run)
        names.append(run.files.run.name)
    return names


def remove(run: Run) -> None:
    """End what still runs of one cluster and remove its control groups and its directory; raises ClusterError."""
    Cgroups(run.files.cgroup).remove()
    run.remove()
