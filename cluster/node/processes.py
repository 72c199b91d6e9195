"""The node's programs as processes: started, watched, and quoted when they fail."""

from __future__ import annotations

import http.client
import os
import subprocess
import time
from typing import TYPE_CHECKING, TypeVar

from cluster.errors import ClusterError
from cluster.node.api import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    T = TypeVar("T")

# What a boot waits for comes in tens of milliseconds: a longer pause between looks would add up.
_LOOK = 0.015
_PATIENCE = 120.0
_QUOTED_LINES = 8
_QUOTED_LENGTH = 300


class Services:
    """All programs of one node; each writes its own log file."""

    def __init__(self, logs: Path, environment: Mapping[str, str], patience: float) -> None:
        self._logs = logs
        self._environment = dict(environment)
        self._patience = _PATIENCE * patience
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        program: str | None = None,
        descriptors: Sequence[int] = (),
    ) -> None:
        """Start a program under a name of ours; raises ClusterError when it cannot be executed.

        `program` is the file to execute where it is not arguments[0]; `descriptors` stay open in it.
        """
        with (self._logs / f"{name}.log").open("ab") as log:
            try:
                self._running[name] = subprocess.Popen(
                    arguments,
                    executable=program,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=tuple(descriptors),
                )
            except OSError as error:
                raise ClusterError(
                    f"{name} cannot be started: {program or arguments[0]}: {error.strerror}. If the file is in the "
                    "cache, remove its directory and run again: it will be made anew."
                ) from error

    def finish(self, name: str) -> None:
        """Wait until a program that is to end by itself has done so; raises ClusterError if it failed."""
        code = self._running.pop(name).wait()
        if code != 0:
            raise self._failure(name, code)

    def check(self) -> None:
        """Raise ClusterError if a program that is to go on running has ended."""
        for name, process in self._running.items():
            code = process.poll()
            if code is not None:
                raise self._failure(name, code)

    def until(self, probe: Callable[[], T], what: str) -> T:
        """Look until the probe gives something true, and give that; what the API server refuses is tried again.

        Raises ClusterError when a program ends meanwhile, or after two minutes times the cluster's patience, which is
        many times what the slowest step takes on two busy cores.
        """
        deadline = time.monotonic() + self._patience
        while True:
            said = ""
            try:
                if found := probe():
                    return found
            except (ApiError, OSError, http.client.HTTPException) as error:
                said = f": {error}"
            self.check()
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"the cluster does not start: no {what} after {self._patience:.0f} s{said}. A slow machine gets more "
                    "time by --patience."
                )
            time.sleep(_LOOK)

    def watch(self) -> None:
        """Sleep until a program ends, which raises ClusterError."""
        while True:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            self.check()

    def _failure(self, name: str, code: int) -> ClusterError:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        lines = (self._logs / f"{name}.log").read_text(errors="replace").splitlines()
        said = "\n  ".join(line[:_QUOTED_LENGTH] for line in lines[-_QUOTED_LINES:]) or "(nothing)"
        return ClusterError(f"the cluster does not run: {name} {how}. Its last words:\n  {said}")
