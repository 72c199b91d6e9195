"""What users of a release complain of: what they did, and what they were told."""

from __future__ import annotations

import ssl
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from support import bodies, chroma, http
from support.access import BEAT
from support.inquiry import look_into
from support.model import Record
from support.troubles import REMEDIES
from support.wait import Timeout, wait_for
from support.ways import ingress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.chroma import Collection, Database
    from support.namespace import Live, Rollout
    from support.troubles import Trouble
    from support.wait import Deadlines

# More than the ingress takes, in MiB.
_TOO_LARGE: Final = 101
# Records of some hundred bytes each: the room that a full disk leaves is less.
_MANY: Final = 3000
_BATCH: Final = 50
# Of another dimension than those of the deterministic records.
_SHORT: Final = (0.5, 0.5)


def _told(act: Callable[[], object]) -> str:
    """Return what a user is told by what they do: the client's error, or what came back."""
    try:
        return str(act())
    except Exception as error:  # noqa: BLE001 - whatever the client makes of it
        return f"{type(error).__name__}: {error}"


def _show_wrong_token(live: Live, _database: Database, _collection: Collection) -> object:
    way = ingress(live.host, live.inventory)
    return chroma.client(way, SecretStr("open-sesame-open-sesame"))


def _trust_well_known(live: Live, _database: Database, _collection: Collection) -> object:
    way = replace(ingress(live.host, live.inventory), verify=ssl.create_default_context())
    return http.ask(way, BEAT.method, BEAT.path)


def _open_unknown(_live: Live, database: Database, _collection: Collection) -> object:
    return database.open("feld-notes")


def _add_short_vector(_live: Live, _database: Database, collection: Collection) -> None:
    chroma.add(collection, [Record("short", _SHORT)])


def _ask_with_short_vector(_live: Live, _database: Database, collection: Collection) -> object:
    return chroma.ask(collection, [_SHORT], 1)


def _send_too_much(live: Live, _database: Database, collection: Collection) -> object:
    return bodies.add(live, collection, _TOO_LARGE)


ACTS: Final[Mapping[str, Callable[[Live, Database, Collection], object]]] = {
    "shows a wrong token": _show_wrong_token,
    "trusts only well-known authorities": _trust_well_known,
    "asks for a collection that is not there": _open_unknown,
    "adds a vector of another dimension": _add_short_vector,
    "asks with a vector of another dimension": _ask_with_short_vector,
    "sends more than the ingress takes": _send_too_much,
}


def act(live: Live, database: Database, collection: Collection, what: str) -> str:
    """Do one of `ACTS` as a user does, and return what the user is told."""
    return _told(lambda: ACTS[what](live, database, collection))


def ask_for_heartbeat(live: Live, deadlines: Deadlines) -> str:
    """Ask for the heartbeat until that goes wrong, since what has happened takes a moment to show; return what is told."""
    way = ingress(live.host, live.inventory)
    told = [""]

    def wrong() -> bool:
        told[0] = _told(lambda: http.ask(way, BEAT.method, BEAT.path))
        return ": 200 " not in told[0]

    wait_for(wrong, deadlines.answering, lambda: f"nothing has gone wrong: {told[0]}")
    return told[0]


def add_until_refused(collection: Collection) -> str:
    """Add records until one is refused, and return what the user is told."""
    records = chroma.records(_MANY)
    for start in range(0, _MANY, _BATCH):
        told = _told(partial(chroma.add, collection, records[start : start + _BATCH]))
        if told != "None":
            return told
    raise Timeout(f"nothing was refused of {_MANY} records")


def assert_diagnosed(live: Live, told: str, trouble: Trouble) -> None:
    """Assert that the suite names the trouble of a user who was told this, with what to do."""
    diagnosis = look_into(live.kube, live.namespace, told)
    assert diagnosis, f"promised: {trouble}\nseen:     nothing that is known: {told}"
    assert diagnosis.trouble is trouble, f"promised: {trouble}\nseen:     {diagnosis}"


def assert_remedy(trouble: Trouble, words: str) -> None:
    """Assert that the remedy of a trouble says these words."""
    assert words in REMEDIES[trouble], f'promised: "{words}"\nseen:     {REMEDIES[trouble]}'


def assert_refusal_says(rollout: Rollout, words: str) -> None:
    """Assert that what is told of a refusal says these words."""
    assert words in str(rollout), f'promised: "{words}"\nseen:     {rollout}'
