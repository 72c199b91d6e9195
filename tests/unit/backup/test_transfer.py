"""The way to a pod is proved before anything is quiesced for a copy, and what cannot heal ends the wait for it at once."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, cast

import pytest

from support.backup.transfer import CopyError, TransferPod, prove_way
from support.core.wait import Deadlines, Timeout
from support.kube.errors import ApiError

if TYPE_CHECKING:
    from support.kube.client import Kube


class Cluster:
    """Has one running pod, to which a way is refused; counts how often it is asked for one."""

    def __init__(self, refused: ApiError | None, phase: str = "Running") -> None:
        self.refused = refused
        self.asked = 0
        self.pod = {"kind": "Pod", "metadata": {"name": "chroma-0"}, "status": {"phase": phase}}

    def list(self, _kind: str, _namespace: str) -> list[dict[str, Any]]:
        return [self.pod]

    def get(self, _kind: str, _name: str, _namespace: str) -> dict[str, Any]:
        return {**self.pod, "spec": {"containers": []}}

    def forward(self, _namespace: str, _pod: str, _port: int) -> socket.socket:
        self.asked += 1
        if self.refused:
            raise self.refused
        near, far = socket.socketpair()
        far.close()
        return near


LASTING = [
    ApiError(0, "Unanswered", "its certificate is not believed: Hostname mismatch", lasting=True),
    ApiError(401, "Unauthorized", "Unauthorized"),
    ApiError(403, "Forbidden", "may not create pods/portforward"),
    ApiError(407, "", "Proxy Authentication Required"),
]
PASSING = [
    ApiError(0, "Unanswered", "connection reset"),
    ApiError(500, "InternalError", "dial tcp"),
    ApiError(503, "", ""),
]


@pytest.mark.parametrize("error", LASTING, ids=lambda error: f"{error.status}")
def test_a_way_that_can_never_be_opened_is_told_before_anything_is_quiesced(error: ApiError) -> None:
    with pytest.raises(CopyError, match="no way to a pod") as told:
        prove_way(cast("Kube", Cluster(error)), "chroma")
    assert error.message in str(told.value)
    assert "kubectl port-forward" in str(told.value)


@pytest.mark.parametrize("refused", [*PASSING, None], ids=str)
def test_a_way_that_may_open_in_a_moment_stops_nothing(refused: ApiError | None) -> None:
    cluster = Cluster(refused)
    prove_way(cast("Kube", cluster), "chroma")
    assert cluster.asked == 1


def test_where_no_pod_runs_nothing_is_asked_for() -> None:
    cluster = Cluster(LASTING[0], phase="Pending")
    prove_way(cast("Kube", cluster), "chroma")
    assert cluster.asked == 0


@pytest.mark.parametrize("error", LASTING, ids=lambda error: f"{error.status}")
def test_the_wait_for_the_copying_pod_ends_at_once_where_there_is_no_way(error: ApiError) -> None:
    cluster = Cluster(error)
    with pytest.raises(CopyError, match="no way to a pod"):
        TransferPod(cast("Kube", cluster), "chroma").wait(Deadlines(live=1000))
    assert cluster.asked == 1


def test_the_wait_for_the_copying_pod_goes_on_while_its_way_may_come() -> None:
    cluster = Cluster(PASSING[0])
    with pytest.raises(Timeout, match="does not answer"):
        TransferPod(cast("Kube", cluster), "chroma").wait(Deadlines(live=0.2))
    assert cluster.asked > 1
