"""The mark by which a run shows on its cluster that it lives, and by which others tell what belongs to dead runs."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Self

from support.core.process import is_running, this_process
from support.deploy.renewal import Renewal
from support.kube.client import FIELD_MANAGER
from support.kube.errors import ApiError
from support.kube.labels import LASTS, OWNED, PROCESS, RUN, ownership

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from support.core.wait import Deadlines
    from support.kube.client import Kube
    from support.kube.objects import Object

KIND: Final = "ConfigMap"
_NAME: Final = "chroma-conformance-run-"


class Mark:
    """A ConfigMap that carries a run's id and is renewed as long as the run lives; a context manager.

    Nothing else says that a run lives: one that was killed, or whose machine is gone, renews nothing. It lies in a namespace
    that is sure to be there. Entering raises `ApiError` where it cannot be made; later on a renewal that fails is tried again.
    """

    def __init__(self, kube: Kube, namespace: str, run_id: str, deadlines: Deadlines) -> None:
        self._kube = kube
        self._place = (KIND, f"{_NAME}{run_id}", namespace)
        self._run_id = run_id
        self._lapse = deadlines.mark
        self._count = 0
        self._renewal = Renewal("mark of the run", self._lapse, self.renew)

    def __enter__(self) -> Self:
        self.renew()
        self._renewal.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._renewal.stop()
        with suppress(ApiError):  # it lapses by itself
            self._kube.delete(*self._place)

    def renew(self) -> datetime:
        """Renew the mark; return when that was, by the clock of the cluster."""
        kind, name, namespace = self._place
        self._count += 1
        stored = self._kube.apply(
            {
                "apiVersion": "v1",
                "kind": kind,
                "metadata": {"name": name, "namespace": namespace, "labels": ownership(self._run_id)},
                "data": {
                    "renewals": str(self._count),
                    "lapses-after": f"{self._lapse:g}s",
                    "process": json.dumps(this_process()),
                },
            }
        )
        return renewed(stored)


@dataclass(frozen=True)
class Living:
    """Which runs live and which are dead, as their marks say at one moment of the cluster's clock; `lapse` in seconds."""

    now: datetime
    runs: frozenset[str]
    dead: frozenset[str]
    lapse: float

    def is_left(self, obj: Object) -> bool:
        """Whether an object belongs to a run alone, and that run is dead.

        What was made a moment ago may be of a run whose mark is not there yet.
        """
        run_id = run_of(obj)
        if run_id is None or run_id in self.runs:
            return False
        if run_id in self.dead:
            return True
        # A run that only verifies has no mark: what it makes says by which process it was made, and how long it may last.
        noted = obj["metadata"].get("annotations") or {}
        with suppress(KeyError, ValueError):
            seen = is_running(json.loads(noted[PROCESS]))
            if seen is not None:
                return not seen
        made = _time(obj["metadata"]["creationTimestamp"])
        return (self.now - made).total_seconds() > float(noted.get(LASTS, self.lapse))


def living(marks: Iterable[Object], now: datetime, deadlines: Deadlines, own: str) -> Living:
    """Judge marks; of a process of this very machine it is seen at once whether it lives, of others once they do not renew."""
    judged = {str(run_of(mark)): _lives(mark, now) for mark in marks if is_mark(mark)} | {own: True}
    runs = frozenset(run for run, lives in judged.items() if lives)
    return Living(now, runs, frozenset(judged.keys() - runs), deadlines.mark)


def is_mark(obj: Object) -> bool:
    """Whether an object is the mark of a run."""
    return bool(obj["kind"] == KIND and obj["metadata"]["name"] == f"{_NAME}{run_of(obj)}")


def run_of(obj: Object) -> str | None:
    """Return the id of the run to which an object of the suite belongs alone; None for what lasts, and for what is not ours."""
    labels: dict[str, str] = obj["metadata"].get("labels") or {}
    return labels.get(RUN) if labels.items() >= OWNED.items() else None


def _lives(mark: Object, now: datetime) -> bool:
    data = mark.get("data") or {}
    with suppress(ValueError, TypeError, KeyError):
        seen = is_running(json.loads(data["process"]))
        if seen is not None:
            return seen
    with suppress(ValueError, KeyError):
        return (now - renewed(mark)).total_seconds() <= float(data["lapses-after"].removesuffix("s"))
    return False  # a mark in another form is not renewed by this suite


def renewed(mark: Object) -> datetime:
    """Return when a mark, or another object of the suite, was renewed last, by the clock of the cluster: those of its users differ."""
    fields = mark["metadata"].get("managedFields") or []
    times = [one["time"] for one in fields if one.get("manager") == FIELD_MANAGER and "time" in one]
    return _time(max(times, default=mark["metadata"]["creationTimestamp"]))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
