"""The lines in which a booting cluster tells its provider how far it is."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Milestone:
    """Something a booting cluster has reached, and how many seconds after it was asked for."""

    title: str
    seconds: float


class Reporter:
    """The writing end, in the supervisor and the node; nobody has to listen."""

    def __init__(self, descriptor: int, began: float) -> None:
        self.descriptor = descriptor
        self._began = began
        self.milestones: list[Milestone] = []

    def reached(self, title: str) -> None:
        """Tell that the boot has come this far."""
        milestone = Milestone(title, round(time.monotonic() - self._began, 3))
        self.milestones.append(milestone)
        self._write({"reached": milestone.title, "seconds": milestone.seconds})

    def up(self) -> None:
        """Tell that the cluster is up."""
        self._write({"up": True})

    def failed(self, message: str) -> None:
        """Tell why there will be no cluster."""
        self._write({"failed": message})

    def _write(self, line: dict[str, Any]) -> None:
        # It fails when whoever asked for the cluster is gone; the lifeline tells us that.
        with contextlib.suppress(OSError):
            os.write(self.descriptor, json.dumps(line).encode() + b"\n")


def follow(stream: IO[str]) -> Iterator[Milestone]:
    """Give the milestones until the cluster is up; raises ClusterError with its message when it fails."""
    for line in stream:
        fact = json.loads(line)
        if "failed" in fact:
            raise ClusterError(fact["failed"])
        if "up" in fact:
            return
        yield Milestone(fact["reached"], fact["seconds"])
    raise ClusterError(
        "the cluster's supervisor ended without a word: it was killed, or the machine ran out of memory"
    )
