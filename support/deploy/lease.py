"""Lets one run at a time act on a release: a Lease beside it names who does, and since when."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

from support.core.errors import SuiteError
from support.core.process import is_running, this_process
from support.deploy.marks import renewed
from support.deploy.operator import who
from support.deploy.renewal import Renewal
from support.kube.errors import ApiError
from support.kube.labels import PROCESS, ownership

if TYPE_CHECKING:
    from types import TracebackType

    from support.core.wait import Deadlines
    from support.kube.client import Kube
    from support.kube.objects import Object

_KIND: Final = "Lease"
_PREFIX: Final = "chroma-conformance-"
_CONFLICT, _GONE = 409, 404


class HeldError(SuiteError):
    """Another run acts on the release; the text says who, and since when."""


class Lease:
    """The right to act on the release of a namespace; a context manager.

    It lies in that namespace, or where that is not there yet, in another one that is sure to be: the two `places`. `act` says
    what the run does, and `now` is the cluster's clock, by which one is stale that no run renews any more. Entering raises
    `HeldError`, and `ApiError` where no Lease may be made.
    """

    def __init__(
        self,
        kube: Kube,
        places: tuple[str, str],
        run_id: str,
        deadlines: Deadlines,
        *,
        act: str,
        now: datetime,
    ) -> None:
        namespace, elsewhere = places
        self._kube = kube
        self._release = namespace
        self._places = places
        self._name = f"{_PREFIX}{namespace}"
        self._run_id = run_id
        self._act = act
        self._lapse = deadlines.mark
        self._now = now
        self._place = elsewhere
        self._renewal = Renewal("lease of the release", self._lapse, self._renew)

    def __enter__(self) -> Self:
        there = [self._kube.get(_KIND, self._name, place) for place in self._places]
        for lease in filter(None, there):
            if _is_held(lease, self._now):
                raise HeldError(_described(lease, self._release))
        around = self._kube.get("Namespace", self._release)
        if around and "deletionTimestamp" not in around["metadata"]:
            self._place = self._release
        self._take(there[self._places.index(self._place)])
        self._renewal.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._renewal.stop()
        with suppress(ApiError):  # it lapses by itself
            self._kube.delete(_KIND, self._name, self._place)

    def _take(self, stale: Object | None) -> None:
        """Make the Lease, or take one over that is stale; of two who do so at once one is refused."""
        try:
            if stale:
                version = {"resourceVersion": stale["metadata"]["resourceVersion"]}
                stated = self._stated()
                self._kube.patch(
                    _KIND, self._name, self._place, {**stated, "metadata": {**stated["metadata"], **version}}
                )
            else:
                self._kube.create(self._stated())
        except ApiError as error:
            if error.status != _CONFLICT:
                raise
            taken = self._kube.get(_KIND, self._name, self._place)
            raise HeldError(
                _described(taken, self._release) if taken else f"{self._release} is in use"
            ) from None

    def _stated(self) -> Object:
        now = _micro()
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": _KIND,
            "metadata": {
                "name": self._name,
                "namespace": self._place,
                "labels": ownership(self._run_id),
                "annotations": {PROCESS: json.dumps(this_process())},
            },
            "spec": {
                "holderIdentity": f"run {self._run_id} ({self._act}), by {who(self._kube)}",
                "leaseDurationSeconds": max(1, round(self._lapse)),
                "acquireTime": now,
                "renewTime": now,
            },
        }

    def _renew(self) -> bool:
        """Renew the Lease; return False where it went with its namespace, which this very run has removed."""
        try:
            self._kube.patch(_KIND, self._name, self._place, {"spec": {"renewTime": _micro()}})
        except ApiError as error:
            if error.status != _GONE:
                raise
            return False
        return True


def held(kube: Kube, places: tuple[str, str], now: datetime) -> str:
    """Say who acts on the release of a namespace, the first of the `places`, and since when; "" where nobody does.

    Whoever only looks takes no Lease. Raises `ApiError`.
    """
    release, _ = places
    for place in places:
        lease = kube.get(_KIND, f"{_PREFIX}{release}", place)
        if lease and _is_held(lease, now):
            return _described(lease, release)
    return ""


def _is_held(lease: Object, now: datetime) -> bool:
    with suppress(KeyError, ValueError):
        seen = is_running(json.loads(lease["metadata"]["annotations"][PROCESS]))
        if seen is not None:
            return seen
    duration = lease["spec"].get("leaseDurationSeconds") or 0
    return bool((now - renewed(lease)).total_seconds() <= duration)


def _described(lease: Object, release: str) -> str:
    spec: dict[str, Any] = lease["spec"]
    return (
        f"the release in {release} is in use by {spec.get('holderIdentity', 'another run')}, since "
        f"{spec.get('acquireTime', 'a time that is not known')}: wait until that has ended; one that was killed is out of "
        f"the way {spec.get('leaseDurationSeconds', 0)} s after it renewed its Lease {lease['metadata']['name']} last"
    )


def _micro() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
