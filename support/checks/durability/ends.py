"""Puts a live release through the end of its pod or of its process while records are written."""

from __future__ import annotations

import random
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.checks.durability.writing import Load, WriteLog, writing
from support.core.wait import wait_for
from support.deploy import keeping
from support.deploy.ways_in import CONTAINER, POD, beside, pod_of
from support.kube import probe
from support.kube.containers import is_ready

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from typing import Protocol

    from support.chroma.client import Collection
    from support.core.wait import Deadlines
    from support.deploy.keeping import Keeping
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.kube.client import Kube

    class Kill(Protocol):
        """Kills Chroma's process; with words, as the probe takes them, at the moment that they say."""

        def __call__(self, *moment: str) -> None:
            """Return once it is done."""


# The file with which the writing of an index begins, as Chroma's process sees it.
HEADER: Final = "/data/*/header.bin"
# Two writers, so that the index is written at moments that nobody foresees.
_TWO: Final = Load(writers=2, batch=10, records=6000, dimension=384)
# Acknowledged records before which no kill at random comes.
_SOONEST: Final = 100
# How long after the header has changed a kill comes: the index of some hundred records is written within some milliseconds.
_DELAYS: Final = ("500us", "2ms", "4ms", "1ms", "3ms")


@dataclass(frozen=True)
class Scene:
    """A live release whose pod or process is ended, its namespace, and by whom: `platform` may meddle with nodes."""

    platform: Kube
    home: Namespace
    live: Live
    deadlines: Deadlines
    run_id: str

    def replace_pod(self) -> Keeping:
        """Delete the release's pod, and wait until its successor is live; return what that had told when it became ready."""
        live, before = self.live, pod_of(self.live)["metadata"]["uid"]
        told: list[Keeping] = []
        live.kube.delete("Pod", POD, live.namespace)

        def lives() -> bool:
            pod = pod_of(live)
            if pod["metadata"]["uid"] == before or not is_ready(pod):
                return False
            if not told:
                told.append(keeping.seen(live.kube, live.namespace))
            return self.home.live() is not None

        wait_for(
            lives,
            self.deadlines.live,
            lambda: f"the pod that was deleted has no successor that is live: {pod_of(live)['status']}",
            (LookupError,),
        )
        return told[0]

    def renew_pod(self) -> None:
        """Replace the pod where Chroma was started again in it: its next end would be waited out by the kubelet.

        It starts a container at once the first time alone, then after 10 s, 20 s, 40 s.
        """
        if self._restarts():
            self.replace_pod()

    def has_torn(self, collection: Collection) -> bool:
        """Return whether the last start of Chroma found the index of a collection torn."""
        return str(collection.id) in keeping.seen(self.live.kube, self.live.namespace).torn

    @contextmanager
    def killer(self) -> Iterator[Kill]:
        """Lend what kills Chroma's process (SIGKILL) and waits until it is live again.

        It is a pod on its node that sees the node's processes and runs as Chroma's user, since within its own pod no process
        can kill the first one. It lives in a namespace of its own, as no other may admit it.
        """
        place = f"chroma-conformance-{self.run_id}-{uuid.uuid4().hex[:8]}"
        image, kube, deadlines = self.live.inventory.vantage_image, self.platform, self.deadlines
        killer = probe.pod("killer", place, self.run_id, image, ["sleep"], hostPID=True, **beside(self.live))

        def kill(*moment: str) -> None:
            before = self._restarts()
            # The container's name is also in the command line of Chroma's process.
            argv = ["/probe", "kill", pod_of(self.live)["metadata"]["uid"], CONTAINER, *moment]
            done = kube.exec(place, "killer", "probe", argv, deadlines.live if moment else deadlines.answer)
            said = done.stderr.decode("utf-8", "replace")
            assert done.code == 0, f"Chroma's process could not be killed: {said}"
            wait_for(
                lambda: self._restarts() > before and self.home.live() is not None,
                deadlines.live,
                lambda: f"Chroma is not live again after its kill: {pod_of(self.live)['status']}",
                (LookupError,),
            )

        kube.apply(probe.namespace(place, self.run_id, "privileged"))
        try:
            probe.start(kube, killer, deadlines)
            probe.wait_for_phase(kube, killer, ("Running",), deadlines)
            yield kill
        finally:
            kube.delete("Pod", "killer", place, grace=0)
            kube.delete("Namespace", place)

    def _restarts(self) -> int:
        """Count how often Chroma's container has been started again in its pod."""
        statuses = pod_of(self.live)["status"].get("containerStatuses", [])
        return sum(status["restartCount"] for status in statuses if status["name"] == CONTAINER)


def replace_pod_under_writer(scene: Scene, collection: Collection) -> WriteLog:
    """Delete the release's pod, as a drained node does, while a writer adds records; wait until its successor is live."""
    with writing(collection, scene.deadlines) as log:
        scene.replace_pod()
    return log


def kill_under_writer(scene: Scene, collection: Collection) -> WriteLog:
    """Kill Chroma's process while a writer adds records, and wait until it is live again."""
    scene.renew_pod()
    with scene.killer() as kill, writing(collection, scene.deadlines) as log:
        kill()
    return log


def kill_while_indexing(
    scene: Scene, collection: Collection, times: int, measured: MutableMapping[str, str]
) -> WriteLog:
    """Kill Chroma's process so often while it writes an index that two writers fill, and report how many kills tore it.

    After each kill it has to be live again, and once more in another pod, where two others go on: an index that Chroma has
    built anew is right only if it can be loaded as well.
    """
    log, torn = WriteLog(), 0
    with scene.killer() as kill:
        for number in range(times):
            scene.renew_pod()
            with writing(collection, scene.deadlines, _TWO, log):
                kill(HEADER, str(1 + number % 3), _DELAYS[number % len(_DELAYS)])
            torn += scene.has_torn(collection)
    scene.replace_pod()
    measured["kills aimed at the writing of an index"] = (
        f"{times}, of which {torn} tore it; {len(log.acknowledged)} records acknowledged"
    )
    return log


def kill_at_random(
    scene: Scene, collection: Collection, times: int, measured: MutableMapping[str, str]
) -> WriteLog:
    """Kill Chroma's process so often, each time after so many more acknowledged records as chance says; else as above.

    The number of the run is the seed, and the report tells the numbers.
    """
    log, torn, chance = WriteLog(), 0, random.Random(scene.run_id)  # noqa: S311 - no secret
    moments = [chance.randrange(_SOONEST, _TWO.records // 3) for _ in range(times)]
    with scene.killer() as kill:
        for more in moments:
            scene.renew_pod()
            end = len(log.acknowledged) + more
            with writing(collection, scene.deadlines, _TWO, log):
                wait_for(
                    lambda: len(log.acknowledged) >= end,  # noqa: B023 - called at once
                    scene.deadlines.live,
                    lambda: f"the writers have only {len(log.acknowledged)} records acknowledged",
                )
                kill()
            torn += scene.has_torn(collection)
    scene.replace_pod()
    after = " and ".join(f"{more}" for more in moments)
    measured["kills at random moments"] = (
        f"{times}, after {after} more records, of which {torn} tore the index; {len(log.acknowledged)} records acknowledged"
    )
    return log
