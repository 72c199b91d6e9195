"""Runs `python -m cluster` as people do, also on a machine that lacks something."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.live.cluster.place import PATIENCE, STRETCH

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKOUT = Path(__file__).parents[3]
_PRIVATE = (
    *("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"),
    *("--propagation", "private"),
)


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


def run(
    *arguments: str, machine: str = "", environ: Mapping[str, str] | None = None, umask: int = -1
) -> Done:
    """Run `python -m cluster` with arguments.

    `machine` is shell that changes the machine beforehand, as the command alone sees it: mounts, network and
    processes are private and end with the command. There "$@" is the command. `umask` is the caller's, as it is
    unless given.
    """
    command = [sys.executable, "-m", "cluster", *arguments]
    if arguments[:1] == ("up",):
        command += ["--patience", str(STRETCH)]
    if machine:
        command = [*_PRIVATE, "sh", "-ec", f'{machine}\nexec "$@"', "sh", *command]
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        umask=umask,
        timeout=2 * PATIENCE,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)
