"""The command that goes on saying how a release is: --status watch."""

from __future__ import annotations

import dataclasses
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from support.commands.status import render_text
from support.core.wait import pause
from support.deploy.status import Status, observe
from support.kube.errors import ApiError
from support.kube.watch import Watch

if TYPE_CHECKING:
    from support.commands.call import Call

# What shows by a change that a release may be another than a moment ago.
_KINDS: Final = ("StatefulSet", "Pod", "PersistentVolumeClaim", "Service", "Ingress")
# Seconds after which a release is asked for its heartbeat where Kubernetes shows no change: that it hangs, only that tells.
HEARTBEAT: Final = 10.0


def follow(call: Call) -> int:
    """Say how the release is, and again whenever that changes, until Ctrl-C; return the exit code of the last status.

    On a terminal all of it is said, elsewhere a line with the time and what has changed. A cluster that does not answer is
    a change as well, after which nothing is known: 1.
    """
    teller = _Teller(call, whole=sys.stdout.isatty())
    try:
        while True:
            try:
                _follow(call, teller)
            except ApiError as error:
                teller.lost(error)
                pause(HEARTBEAT)
    except KeyboardInterrupt:
        return teller.exit_code


def _follow(call: Call, teller: _Teller) -> None:
    with Watch(call.namespace.kube, _KINDS, call.namespace.name) as watch:
        while True:
            teller.tell(observe(call.namespace))
            watch.wait(HEARTBEAT)


class _Teller:
    def __init__(self, call: Call, *, whole: bool) -> None:
        self._call = call
        self._whole = whole
        self._told: list[str] = []
        self.exit_code = 1

    def tell(self, status: Status) -> None:
        """Say a status unless it is the one that was said last."""
        self.exit_code = status.exit_code
        self._say(render_text(lasting(status), "text").splitlines(), render_text(status, "text"))

    def lost(self, error: ApiError) -> None:
        """Say that nothing is known."""
        self.exit_code = 1
        told = f"the cluster does not answer: {error.message}"
        self._say([told], told)

    def _say(self, lines: list[str], whole: str) -> None:
        if lines == self._told:
            return
        verdict, *others = lines
        changed = [verdict, *(line for line in others if self._told and line not in self._told)]
        self._told = lines
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._call.say(f"{now}\n{whole}\n" if self._whole else f"{now} {'; '.join(map(_even, changed))}")


def lasting(status: Status) -> Status:
    """Return a status without what is another at each look, and says nothing of a change."""
    vitals = status.vitals and dataclasses.replace(
        status.vitals,
        memory=dataclasses.replace(status.vitals.memory, used=None, unknown=""),
        claim=dataclasses.replace(status.vitals.claim, used=None, unknown=""),
        backup=dataclasses.replace(status.vitals.backup, at=""),
    )
    return dataclasses.replace(status, heartbeat=None, vitals=vitals)


def _even(line: str) -> str:
    return " ".join(line.split())
