"""Puts a live release through the end of its pod or of its process, and finds again what it had acknowledged."""

from __future__ import annotations

import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from support.chroma import calls, client, samples
from support.chroma.types import Metric, Record
from support.core.wait import wait_for
from support.deploy.ways_in import CONTAINER, POD, beside, pod_of
from support.kube import probe
from support.laws import invariants
from support.laws.recall import recall as recall_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.chroma.client import Collection
    from support.chroma.reachable import Reachable
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.kube.client import Kube
    from support.network.way import Routes

# The database's file, which its log (-wal) is beside.
_DATABASE: Final = "chroma.sqlite3"
# So few that a collection that began with 200 records stays below 1,000: Chroma writes its index to disk with every
# 1,000th, and a kill in that moment can tear it (docs/persistence.md). One writer that stays below is safe.
_WRITES: Final = 700
# Acknowledged records after which a writer is in full swing: a second's worth.
_IN_FULL_SWING: Final = 100
# Questions, and records asked for by each, of which this share of the truly nearest must be found: the index is approximate.
_QUESTIONS: Final = 50
_NEAREST: Final = 10
_RECALL: Final = 0.95


@dataclass
class WriteLog:
    """What a writer learned: the records whose writing was acknowledged, and those that ended in an error."""

    acknowledged: list[Record] = field(default_factory=list)
    indeterminate: list[Record] = field(default_factory=list)


@dataclass(frozen=True)
class Search:
    """What a search of a claim found: the names of the files that hold the text, and all that was said."""

    claim: str
    said: str
    files: tuple[str, ...]


def replace_pod_under_writer(
    home: Namespace, live: Live, collection: Collection, deadlines: Deadlines
) -> WriteLog:
    """Delete the release's pod, as a drained node does, while a writer adds records; wait until its successor is live."""
    before = pod_of(live)["metadata"]["uid"]
    with _writer(collection, deadlines) as write_log:
        live.kube.delete("Pod", POD, live.namespace)
        wait_for(
            lambda: pod_of(live)["metadata"]["uid"] != before and home.live() is not None,
            deadlines.live,
            lambda: f"the pod that was deleted has no successor that is live: {pod_of(live)['status']}",
            (LookupError,),
        )
    return write_log


def kill_under_writer(  # noqa: PLR0917 - what it stands on
    platform: Kube, home: Namespace, live: Live, collection: Collection, deadlines: Deadlines, run_id: str
) -> WriteLog:
    """Kill Chroma's process (SIGKILL) while a writer adds records, and wait until it is live again.

    Needs a cluster whose nodes may be meddled with: the kill comes from a pod that sees the node's processes, since
    within its own pod no process can kill the first one.
    """
    before = _restarts(live)
    with _killer(platform, live, deadlines, run_id) as kill, _writer(collection, deadlines) as write_log:
        kill()
        wait_for(
            lambda: _restarts(live) > before and home.live() is not None,
            deadlines.live,
            lambda: f"Chroma is not live again after its kill: {pod_of(live)['status']}",
            (LookupError,),
        )
    return write_log


def assert_acknowledged(collection: Collection, write_log: WriteLog) -> None:
    """Assert that a collection holds what a writer learned that it holds, and nothing that was never written.

    A write that ended in an error may have been done or not, but not by halves.
    """
    held = calls.contents(collection)
    there = {record.id for record in held}
    invariants.same_records(
        write_log.acknowledged + [record for record in write_log.indeterminate if record.id in there], held
    )


def assert_written(collection: Collection, count: int) -> None:
    """Assert that a collection holds the first `count` deterministic records, each as it was written."""
    invariants.same_records(samples.records(count), calls.contents(collection))


def assert_found_by_questions(collection: Collection) -> None:
    """Assert that questions find the records that a collection holds, the nearest first."""
    held = calls.contents(collection)
    vectors = [record.vector for record in held[:: max(1, len(held) // _QUESTIONS)]]
    answers = calls.ask(collection, vectors, _NEAREST)
    recall = recall_of(Metric.L2, held, vectors, _NEAREST, answers)
    assert recall >= _RECALL, (
        f"questions find {recall:.0%} of the nearest records, promised are {_RECALL:.0%}"
    )


def add_elsewhere(live: Reachable, collection: Collection, routes: Routes, number: int) -> None:
    """Let another client add the deterministic record of this number to a collection, through the Service."""
    tenant = live.tenancy.tenant
    other = client.client(routes.way("service"), live.credential, collection.database, tenant)
    try:
        seen = other.get_collection(collection.name, embedding_function=None)
        calls.add(seen, samples.records(number)[-1:])
    finally:
        other.close()


def search_claim(live: Live, collection: Collection, deadlines: Deadlines, run_id: str) -> Search:
    """Add a record with a text that is nowhere else, and let another pod search the release's claim for it.

    The other pod mounts the claim that the release documents, whatever the release's own pod mounts.
    """
    kube, place, claim = live.kube, live.namespace, live.release.claim.name
    text = uuid.uuid4().hex
    calls.add(collection, [replace(samples.records(1)[0], id=text, document=text)])
    phase = (kube.get("PersistentVolumeClaim", claim, place) or {}).get("status", {}).get("phase", "absent")
    if phase != "Bound":
        return Search(claim, f"which is {phase}", ())
    reader = probe.pod(
        f"search-{text[:8]}",
        place,
        run_id,
        live.inventory.vantage_image,
        ["find", "/claim", text],
        mounts=[{"name": "claim", "mountPath": "/claim", "readOnly": True}],
        volumes=[{"name": "claim", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}],
        **beside(live),
    )
    try:
        probe.start(kube, reader, deadlines)
        probe.wait_for_phase(kube, reader, ("Succeeded", "Failed"), deadlines)
        said = kube.logs(place, reader["metadata"]["name"], "probe")
    finally:
        kube.delete("Pod", reader["metadata"]["name"], place, grace=0)
    return Search(claim, said.strip(), tuple(PurePosixPath(line).name for line in said.splitlines()))


def assert_database_is_there(search: Search) -> None:
    """Assert that the record was found on the claim, in the database's file or its log."""
    assert any(name.startswith(_DATABASE) for name in search.files), (
        f"the record is not in the database on the claim {search.claim}, {search.said or 'where nothing holds it'}"
    )


@contextmanager
def _writer(collection: Collection, deadlines: Deadlines) -> Iterator[WriteLog]:
    """Add records one by one until an error comes or the context ends; lends the history once it is in full swing.

    What the collection held before counts as acknowledged.
    """
    held = len(calls.contents(collection))
    write_log = WriteLog(samples.records(held))
    stop = threading.Event()

    def write() -> None:
        for record in samples.records(held + _WRITES)[held:]:
            write_log.indeterminate = [record]
            try:
                calls.add(collection, [record])
            except Exception:  # noqa: BLE001 - whatever the client makes of a release that is down
                return
            write_log.indeterminate = []
            write_log.acknowledged.append(record)
            if stop.is_set():
                return

    thread = threading.Thread(target=write, name="writer", daemon=True)
    thread.start()
    try:
        wait_for(
            lambda: len(write_log.acknowledged) >= held + _IN_FULL_SWING,
            deadlines.live,
            lambda: f"the writer has only {len(write_log.acknowledged)} records acknowledged",
        )
        yield write_log
    finally:
        stop.set()
        thread.join()


@contextmanager
def _killer(kube: Kube, live: Live, deadlines: Deadlines, run_id: str) -> Iterator[Callable[[], None]]:
    """Lend what kills Chroma's process: a pod on its node that sees the node's processes and runs as Chroma's user.

    It lives in a namespace of its own, as no other may admit it.
    """
    place = f"chroma-conformance-{run_id}-{uuid.uuid4().hex[:8]}"
    killer = probe.pod(
        "killer", place, run_id, live.inventory.vantage_image, ["sleep"], hostPID=True, **beside(live)
    )
    kube.apply(probe.namespace(place, run_id, "privileged"))
    try:
        probe.start(kube, killer, deadlines)
        probe.wait_for_phase(kube, killer, ("Running",), deadlines)
        yield partial(_kill, kube, live, place, deadlines)
    finally:
        kube.delete("Pod", "killer", place, grace=0)
        kube.delete("Namespace", place)


def _kill(kube: Kube, live: Live, place: str, deadlines: Deadlines) -> None:
    # The container's name is also in the command line of Chroma's process.
    argv = ["/probe", "kill", pod_of(live)["metadata"]["uid"], CONTAINER]
    done = kube.exec(place, "killer", "probe", argv, deadlines.answer)
    assert done.code == 0, f"Chroma's process could not be killed: {done.stderr.decode('utf-8', 'replace')}"


def _restarts(live: Live) -> int:
    """Count how often Chroma's container has been started again in its pod."""
    statuses = pod_of(live)["status"].get("containerStatuses", [])
    return sum(status["restartCount"] for status in statuses if status["name"] == CONTAINER)
