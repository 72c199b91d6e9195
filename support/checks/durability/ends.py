"""Puts a live release through the end of its pod or of its process while records are written."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from support.checks.durability.writing import Load, WriteLog, writing
from support.core.wait import wait_for
from support.deploy.ways_in import CONTAINER, POD, beside, pod_of
from support.kube import probe

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from typing import Protocol

    from support.chroma.client import Collection
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.kube.client import Kube

    class Kill(Protocol):
        """Kills Chroma's process; with words, as the probe takes them, at the moment that they say."""

        def __call__(self, *moment: str) -> None:
            """Return once it is done."""


# The file with which the writing of an index begins, as Chroma's process sees it.
_HEADER: Final = "/data/*/header.bin"
# Two writers, so that the index is written at moments that nobody foresees.
_TWO: Final = Load(writers=2, batch=10, records=6000, dimension=384)
# How long after the header has changed a kill comes: the index of some hundred records is written within some milliseconds.
_DELAYS: Final = ("500us", "2ms", "4ms", "1ms", "3ms")


def replace_pod_under_writer(
    home: Namespace, live: Live, collection: Collection, deadlines: Deadlines
) -> WriteLog:
    """Delete the release's pod, as a drained node does, while a writer adds records; wait until its successor is live."""
    with writing(collection, deadlines) as log:
        _replace_pod(home, live, deadlines)
    return log


def _replace_pod(home: Namespace, live: Live, deadlines: Deadlines) -> None:
    """Delete the release's pod, and wait until its successor is live."""
    before = pod_of(live)["metadata"]["uid"]
    live.kube.delete("Pod", POD, live.namespace)
    wait_for(
        lambda: pod_of(live)["metadata"]["uid"] != before and home.live() is not None,
        deadlines.live,
        lambda: f"the pod that was deleted has no successor that is live: {pod_of(live)['status']}",
        (LookupError,),
    )


def kill_under_writer(  # noqa: PLR0917 - what it stands on
    platform: Kube, home: Namespace, live: Live, collection: Collection, deadlines: Deadlines, run_id: str
) -> WriteLog:
    """Kill Chroma's process (SIGKILL) while a writer adds records, and wait until it is live again.

    Needs a cluster whose nodes may be meddled with: the kill comes from a pod that sees the node's processes, since
    within its own pod no process can kill the first one.
    """
    before = _restarts(live)
    with _killer(platform, live, deadlines, run_id) as kill, writing(collection, deadlines) as log:
        kill()
        _await_restart(home, live, before, deadlines)
    return log


def kill_while_indexing(  # noqa: PLR0917 - what it stands on
    platform: Kube,
    home: Namespace,
    live: Live,
    collection: Collection,
    deadlines: Deadlines,
    run_id: str,
    times: int,
    measured: MutableMapping[str, str],
) -> WriteLog:
    """Kill Chroma's process so often while it writes an index that two writers fill, and report how many kills tore it.

    After each kill it has to be live again, and two others go on. At the end its pod is replaced: an index that Chroma has
    built anew is right only if it can be loaded as well.
    """
    log, torn = WriteLog(), 0
    with _killer(platform, live, deadlines, run_id) as kill:
        for number in range(times):
            before = _restarts(live)
            with writing(collection, deadlines, _TWO, log):
                kill(_HEADER, str(1 + number % 3), _DELAYS[number % len(_DELAYS)])
            _await_restart(home, live, before, deadlines)
            torn += _was_torn(live, collection)
    _replace_pod(home, live, deadlines)
    measured["kills aimed at the writing of an index"] = f"{times}, of which {torn} tore it"
    return log


@contextmanager
def _killer(kube: Kube, live: Live, deadlines: Deadlines, run_id: str) -> Iterator[Kill]:
    """Lend what kills Chroma's process: a pod on its node that sees the node's processes and runs as Chroma's user.

    It lives in a namespace of its own, as no other may admit it.
    """
    place = f"chroma-conformance-{run_id}-{uuid.uuid4().hex[:8]}"
    killer = probe.pod(
        "killer", place, run_id, live.inventory.vantage_image, ["sleep"], hostPID=True, **beside(live)
    )

    def kill(*moment: str) -> None:
        # The container's name is also in the command line of Chroma's process.
        argv = ["/probe", "kill", pod_of(live)["metadata"]["uid"], CONTAINER, *moment]
        done = kube.exec(place, "killer", "probe", argv, deadlines.live if moment else deadlines.answer)
        assert done.code == 0, (
            f"Chroma's process could not be killed: {done.stderr.decode('utf-8', 'replace')}"
        )

    kube.apply(probe.namespace(place, run_id, "privileged"))
    try:
        probe.start(kube, killer, deadlines)
        probe.wait_for_phase(kube, killer, ("Running",), deadlines)
        yield kill
    finally:
        kube.delete("Pod", "killer", place, grace=0)
        kube.delete("Namespace", place)


def _await_restart(home: Namespace, live: Live, before: int, deadlines: Deadlines) -> None:
    wait_for(
        lambda: _restarts(live) > before and home.live() is not None,
        deadlines.live,
        lambda: f"Chroma is not live again after its kill: {pod_of(live)['status']}",
        (LookupError,),
    )


def _restarts(live: Live) -> int:
    """Count how often Chroma's container has been started again in its pod."""
    statuses = pod_of(live)["status"].get("containerStatuses", [])
    return sum(status["restartCount"] for status in statuses if status["name"] == CONTAINER)


def _was_torn(live: Live, collection: Collection) -> bool:
    """Whether the last start of a release that looks at its volume has found a collection's index torn."""
    said = live.kube.logs(live.namespace, POD, CONTAINER).splitlines()
    found = (json.loads(line) for line in said if line.startswith('{"tenant"'))
    return any(one["id"] == str(collection.id) and "torn" in one for one in found)
