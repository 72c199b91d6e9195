"""What users of a release complain of: what they did, and what they saw."""

from __future__ import annotations

import ssl
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from support.checks import ingress as ingress_checks
from support.checks.access.requests import BEAT, wrong_token
from support.chroma import calls, client, samples
from support.chroma.reachable import Credential
from support.chroma.types import Record
from support.core.component import INGRESS, ROUTE, SERVICE
from support.core.merge_patch import merge
from support.core.promises import PromiseBroken
from support.core.symptoms import Symptom, symptom_of
from support.core.wait import Deadlines, Timeout, wait_for
from support.deploy.results import NotLive
from support.deploy.ways_in import beside
from support.diagnosis.inquiry import look_into
from support.kube import probe
from support.kube.objects import Object, key
from support.network import http
from support.network.way import ingress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout
    from support.diagnosis.findings import Finding, Trouble
    from support.release.release import Release

# More than the ingress takes, in MiB.
_TOO_LARGE: Final = 101
# Records of some hundred bytes each: the room that a full disk leaves is less.
_MANY: Final = 3000
_BATCH: Final = 50
# Of another dimension than those of the deterministic records.
_SHORT: Final = (0.5, 0.5)


def _seen(act: Callable[[], object]) -> Symptom | None:
    """Return what a user sees after what they do: the client's error, or what came back; None where nothing did."""
    try:
        came = act()
    except Exception as error:  # noqa: BLE001 - whatever the client makes of it
        return symptom_of(error)
    if isinstance(came, http.Response):
        return came.symptom
    return None if came is None else Symptom(str(came))


def _show_wrong_token(live: Live, _database: Database, _collection: Collection) -> object:
    wrong = wrong_token(live.token.get_secret_value())
    return client.client(live.way, Credential(SecretStr(wrong)))


def _trust_well_known(live: Live, _database: Database, _collection: Collection) -> object:
    way = replace(ingress(live.host, live.inventory), verify=ssl.create_default_context())
    return http.ask(way, BEAT.method, BEAT.path)


def _open_unknown(_live: Live, database: Database, _collection: Collection) -> object:
    return database.open("feld-notes")


def _add_short_vector(_live: Live, _database: Database, collection: Collection) -> None:
    calls.add(collection, [Record("short", _SHORT)])


def _ask_with_short_vector(_live: Live, _database: Database, collection: Collection) -> object:
    return calls.ask(collection, [_SHORT], 1)


def _send_too_much(live: Live, _database: Database, collection: Collection) -> object:
    return ingress_checks.add(live, collection, _TOO_LARGE)


ACTS: Final[Mapping[str, Callable[[Live, Database, Collection], object]]] = {
    "shows a wrong token": _show_wrong_token,
    "trusts only well-known authorities": _trust_well_known,
    "asks for a collection that is not there": _open_unknown,
    "adds a vector of another dimension": _add_short_vector,
    "queries with a vector of another dimension": _ask_with_short_vector,
    "sends more than the ingress takes": _send_too_much,
}


def act(live: Live, database: Database, collection: Collection, what: str) -> Symptom:
    """Do one of `ACTS` as a user does, and return what the user sees."""
    return _seen(lambda: ACTS[what](live, database, collection)) or Symptom("nothing")


def ask_for_heartbeat(live: Live, deadlines: Deadlines) -> Symptom:
    """Ask for the heartbeat until that goes wrong, since what has happened takes a moment to show; return what the user sees."""
    way = ingress(live.host, live.inventory)

    def wrong() -> Symptom | None:
        seen = _seen(lambda: http.ask(way, BEAT.method, BEAT.path))
        return seen if seen and seen.status != 200 else None

    return wait_for(wrong, deadlines.answering, lambda: "every heartbeat has come: nothing has gone wrong")


def add_until_refused(collection: Collection) -> Symptom:
    """Add records until one is refused, and return what the user sees."""
    records = samples.records(_MANY)
    for start in range(0, _MANY, _BATCH):
        if seen := _seen(partial(calls.add, collection, records[start : start + _BATCH])):
            return seen
    raise Timeout(f"nothing was refused of {_MANY} records")


def assert_only_writes_are_refused(collection: Collection) -> None:
    """Assert that a collection whose writes are refused answers what reads, and that a record of it can be deleted."""
    held = calls.contents(collection)
    if not held:
        raise PromiseBroken("records that are read", "none")
    calls.ask(collection, [held[0].vector], 1)
    collection.delete(ids=[held[0].id])
    if held[0].id in {record.id for record in calls.contents(collection)}:
        raise PromiseBroken(f"that record {held[0].id} is deleted", "it is still there")


def assert_written_again(collection: Collection, deadlines: Deadlines) -> None:
    """Assert that a collection takes records again; that there is room is seen within a second."""
    record = replace(samples.records(1)[0], id="with-room-again")

    def is_taken() -> bool:
        calls.add(collection, [record])
        return True

    wait_for(
        is_taken,
        deadlines.answering,
        lambda: "no record is taken though there is room again",
        (Exception,),
    )
    if record.id not in {held.id for held in calls.contents(collection)}:
        raise PromiseBroken("a record that is acknowledged is there", "it is not")


def assert_diagnosed(live: Live, seen: Symptom, trouble: Trouble) -> Finding:
    """Assert that the suite names the trouble of a user who saw this; return all that it says of that."""
    diagnosis = look_into(live.kube, live.namespace, seen)
    if not diagnosis:
        raise PromiseBroken(trouble, f"nothing that is known: {seen}")
    if diagnosis.kind is not trouble:
        raise PromiseBroken(trouble, diagnosis)
    return diagnosis


def assert_remedy(diagnosis: Finding, words: str) -> None:
    """Assert that the remedy of what was found says these words."""
    if words not in diagnosis.remedy:
        raise PromiseBroken(f'"{words}"', diagnosis.remedy)


def assert_refusal_says(rollout: Rollout, words: str) -> None:
    """Assert that the message of a refusal says these words."""
    if words not in str(rollout):
        raise PromiseBroken(f'"{words}"', f"{rollout}")


# Large enough for Chroma's database, and small enough to be filled in a moment.
_SMALL: Final = "32Mi"


# Bytes; more than fit on the small claim.
_TOO_MUCH: Final = 64 << 20
# Bytes; beside Chroma's own some MiB they leave less than a quarter of the small claim, and enough for what is under way.
_NEARLY: Final = 26 << 20


_BALLAST: Final = "/claim/ballast"


@dataclass(frozen=True)
class Disruptable:
    """A live release that may be disrupted, and the namespace that says when it is live again."""

    home: Namespace
    live: Live
    deadlines: Deadlines
    run_id: str


def on_small_claim(release: Release) -> Release:
    """Return a release that differs in nothing but the size of its claim."""
    return release.model_copy(update={"claim": release.claim.model_copy(update={"size": _SMALL})})


@contextmanager
def _altered(kind: str, name: str, change: dict[str, Any], disruptable: Disruptable) -> Iterator[None]:
    original = _rendered(disruptable.live, kind, name)
    disruptable.live.kube.apply(merge(original, change))
    try:
        yield
    finally:
        _restore(disruptable, original)


@contextmanager
def _gone(kind: str, name: str, disruptable: Disruptable) -> Iterator[None]:
    original = _rendered(disruptable.live, kind, name)
    disruptable.live.kube.delete(kind, name, disruptable.live.namespace)
    try:
        yield
    finally:
        _restore(disruptable, original)


@contextmanager
def _without_pod(disruptable: Disruptable) -> Iterator[None]:
    original = disruptable.live.statefulset()
    disruptable.live.kube.apply(merge(original, {"spec": {"replicas": 0}}))
    try:
        yield
    finally:
        disruptable.live.kube.apply(original)  # the next that needs the release live waits for its pod


@contextmanager
def _filled(size: int, disruptable: Disruptable) -> Iterator[None]:
    _fill(disruptable, size)
    try:
        yield
    finally:
        _fill(disruptable, 0)


DISRUPTIONS: Final[Mapping[str, Callable[[Disruptable], AbstractContextManager[None]]]] = {
    "its Service selects nothing": partial(
        _altered, "Service", SERVICE, {"spec": {"selector": {"app": "chromadb"}}}
    ),
    "its Ingress is gone": partial(_gone, "Ingress", INGRESS),
    "its route is gone": partial(_gone, "HTTPRoute", ROUTE),
    "its pod is gone": _without_pod,
    "its claim is full": partial(_filled, _TOO_MUCH),
    "its claim is nearly full": partial(_filled, _NEARLY),
}


def _rendered(live: Live, kind: str, name: str) -> Object:
    return next(obj for obj in live.objects if key(obj) == (kind, name))


def _restore(disruptable: Disruptable, original: Object) -> None:
    disruptable.live.kube.apply(original)
    name = disruptable.live.release.name
    # With the reason of the last look, should it not recover.
    wait_for(
        disruptable.home.prove_live,
        disruptable.deadlines.live,
        lambda: f"{name} is not live again",
        (NotLive,),
    )


def _fill(disruptable: Disruptable, size: int) -> None:
    """Let a pod beside Chroma write a file of so many bytes to the release's claim, or as many as there is room for."""
    live, deadlines = disruptable.live, disruptable.deadlines
    kube, where = live.kube, live.namespace
    filler = probe.pod(
        f"filler-{size}",
        where,
        disruptable.run_id,
        live.inventory.vantage_image,
        ["fill", _BALLAST, str(size)],
        mounts=[{"name": "claim", "mountPath": "/claim"}],
        volumes=[{"name": "claim", "persistentVolumeClaim": {"claimName": live.release.claim.name}}],
        **beside(live),
    )
    try:
        probe.start(kube, filler, deadlines)
        probe.wait_for_phase(kube, filler, ("Succeeded", "Failed"), deadlines)
    finally:
        kube.delete("Pod", filler["metadata"]["name"], where, grace=0)
