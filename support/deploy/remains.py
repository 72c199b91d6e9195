"""What runs keep in a release that stays, and leave there where they are killed: databases, and collections of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from support.chroma.naming import MARKS, OWNER, SHARED, owner_of
from support.chroma.reachable import Credential, Tenancy
from support.core.component import AUTH_KEY, AUTH_SECRET, DEFAULT_DATABASE, HEARTBEAT
from support.core.component import COLLECTION as EXAMPLE
from support.deploy import last_live
from support.deploy.liveness import made_at
from support.kube.secrets import decoded
from support.network import http
from support.network.way import ingress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from support.kube.client import Kube
    from support.network.http import Response
    from support.network.way import Way
    from support.platform.inventory import Inventory

# That of earlier versions of the suite.
_DATABASE: Final = re.compile(r"conformance-(?P<run>[0-9a-f]{8})-[0-9a-f]{8}")
# The same of versions which delete no database: all runs shared it, and left it empty.
_FORMERLY_SHARED: Final = "conformance"
# Seconds, by the release's own clock, after which what is there for milliseconds is nobody's any more.
_OLD: Final = 300.0
_PAGE: Final = 100
# How a version answers that does not list databases.
_NO_LIST: Final = frozenset({404, 405})
_SECRET: Final = ("Secret", AUTH_SECRET)


@dataclass(frozen=True)
class Remnant:
    """A database of a run, or (with its `collection`) what is in one that outlives runs.

    `run_id` says whose it is, where its name tells; `is_old`: nobody who lives can still need it. `tells`: its name tells by
    itself whether its run may live.
    """

    database: str
    collection: str = ""
    run_id: str = ""
    is_old: bool = False
    tells: bool = False

    def __str__(self) -> str:
        return (
            f"collection {self.database}/{self.collection}"
            if self.collection
            else f"database {self.database}"
        )


class Remains:
    """What runs have left in a Chroma; `unknown` says what could not be looked at or removed, a phrase each.

    `name` is what it is called, such as the namespace of a release.
    """

    def __init__(self, name: str, way: Way, credential: Credential, tenancy: Tenancy | None = None) -> None:
        self.name = name
        self.unknown: list[str] = []
        self._way = way
        self._headers = credential.headers
        self._path = (tenancy or Tenancy()).databases

    @classmethod
    def of_release(
        cls, namespace: str, kube: Kube, inventory: Inventory, token: SecretStr | None = None
    ) -> Remains:
        """Return those in the release of a namespace, under the token that its Secret holds unless one is given."""
        host = last_live.host(kube, namespace) or f"{namespace}.{inventory.domain_name}"
        kept = decoded(kube.get(*_SECRET, namespace) or {}).get(AUTH_KEY, "") if token is None else ""
        return cls(namespace, ingress(host, inventory), Credential(token or SecretStr(kept)))

    def look(self) -> list[Remnant]:
        """Return what may be a dead run's; nothing where the release does not answer."""
        try:
            return list(self._look())
        except (http.NoResponse, ValueError, KeyError, TypeError) as error:
            self.unknown.append(f"the release in {self.name} does not tell what it holds: {error}")
            return []

    def databases(self) -> list[Remnant]:
        """Return what tells by itself whether its run may live: databases, and collections of the one that runs share.

        Nothing where it does not answer.
        """
        try:
            now, names = self._now(), self._databases()
            return list(self._shared(now) if names is None else _named(names, now))
        except (http.NoResponse, ValueError, KeyError, TypeError) as error:
            self.unknown.append(f"{self.name} does not tell which databases it holds: {error}")
            return []

    def remove(self, remnant: Remnant) -> bool:
        """Remove it; return whether that could be done."""
        path = f"{self._path}/{remnant.database}"
        try:
            # Deleting the database alone leaves rows of its collections behind (measured on 1.5.9).
            names = (
                [remnant.collection]
                if remnant.collection
                else [one["name"] for one in self._collections(remnant.database)]
            )
            for name in names:
                self._insist("DELETE", f"{path}/collections/{name}")
            if not remnant.collection:
                self._insist("DELETE", path)
        except (http.NoResponse, ValueError, KeyError, TypeError) as error:
            self.unknown.append(f"{remnant} of {self.name}: {error}")
            return False
        return True

    def _look(self) -> Iterator[Remnant]:
        now, listed = self._now(), self._databases()
        names = listed or []
        yield from _named(names, now)
        for name in names:
            if not owner_of(name) and (found := _DATABASE.fullmatch(name)):
                yield Remnant(name, run_id=found["run"])
        for one in self._collections(DEFAULT_DATABASE):
            made = made_at(one["name"])
            if made is not None:
                yield Remnant(DEFAULT_DATABASE, one["name"], is_old=(now - made) / 1e9 > _OLD)
            elif one["name"] == EXAMPLE:
                yield Remnant(DEFAULT_DATABASE, one["name"])
        for one in self._collections(_FORMERLY_SHARED):
            yield Remnant(_FORMERLY_SHARED, one["name"])
        if listed is None:
            yield from self._shared(now)

    def _shared(self, now: int) -> Iterator[Remnant]:
        """Yield the collections in the database that runs share, and then the marks of these runs.

        They are nobody's only where marks say whose they may be, and each of these runs is dead.
        """
        marks = {
            one["name"]: owner
            for one in self._collections(MARKS)
            if (owner := owner_of(str((one.get("metadata") or {}).get(OWNER))))
        }
        if not marks:
            return
        living = [owner.run_id for owner in marks.values() if not owner.is_dead(now / 1e9)]
        run_id = living[0] if living else next(iter(marks.values())).run_id
        for one in self._collections(SHARED):
            yield Remnant(SHARED, one["name"], run_id, is_old=not living, tells=True)
        # Last: as long as one stays, what it stands for is looked for again.
        for name, owner in marks.items():
            yield Remnant(MARKS, name, owner.run_id, is_old=not living, tells=True)

    def _now(self) -> int:
        """Return the time of its clock, in nanoseconds since 1970."""
        return int(self._insist("GET", HEARTBEAT).json()["nanosecond heartbeat"])

    def _databases(self) -> list[str] | None:
        """Return the names of the databases; None of a version that does not list them, and deletes none either.

        Raises `NoResponse` where these must not be listed.
        """
        response = self._ask("GET", self._path)
        if response.status in _NO_LIST:
            return None
        if response.status != 200:
            raise http.NoResponse(str(response), symptom=response.symptom)
        return [one["name"] for one in response.json()]

    def _collections(self, database: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            response = self._ask(
                "GET", f"{self._path}/{database}/collections?limit={_PAGE}&offset={len(found)}"
            )
            if response.status == 404:
                return []
            if response.status != 200:
                raise http.NoResponse(str(response), symptom=response.symptom)
            page = response.json()
            found += page
            if len(page) < _PAGE:
                return found

    def _insist(self, method: str, path: str) -> Response:
        response = self._ask(method, path)
        if response.status >= 300 and response.status != 404:
            raise http.NoResponse(str(response), symptom=response.symptom)
        return response

    def _ask(self, method: str, path: str) -> Response:
        return http.ask(self._way, method, path, self._headers)


def _named(databases: Iterable[str], now: int) -> Iterator[Remnant]:
    """Yield those whose names say whose they are, and so whether their runs may live at a time (nanoseconds since 1970)."""
    for name in databases:
        if owner := owner_of(name):
            yield Remnant(name, run_id=owner.run_id, is_old=owner.is_dead(now / 1e9), tells=True)
