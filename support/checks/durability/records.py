"""Finds again what a release has acknowledged, in the collection and on the claim."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from support.chroma import calls, client, samples
from support.deploy.ways_in import beside
from support.kube import probe
from support.laws import invariants
from support.laws.recall import recall_of_stored

if TYPE_CHECKING:
    from support.checks.durability.writing import WriteLog
    from support.chroma.client import Collection
    from support.chroma.reachable import Reachable
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.network.way import Routes

# The database's file, which its log (-wal) is beside.
_DATABASE: Final = "chroma.sqlite3"
# Questions, and records asked for by each, of which this share of the truly nearest must be found: the index is approximate.
_QUESTIONS: Final = 50
_NEAREST: Final = 10
_RECALL: Final = 0.95


@dataclass(frozen=True)
class Search:
    """What a search of a claim found: the names of the files that hold the text, and all that was said."""

    claim: str
    said: str
    files: tuple[str, ...]


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
    recall = recall_of_stored(collection, calls.contents(collection), _QUESTIONS, _NEAREST)
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
