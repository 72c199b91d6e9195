"""A database for one scenario alone, and the collections that it borrows beside it."""

from __future__ import annotations

import itertools
import time
import uuid
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from support.chroma.calls import add
from support.chroma.client import client
from support.chroma.naming import MARKS, OWNER, SHARED, name_of
from support.chroma.outcomes import Outcome, expect, outcome
from support.chroma.samples import DIMENSION
from support.chroma.types import Metric, Record
from support.core.component import HEARTBEAT
from support.core.restraint import restraint
from support.core.wait import kept, wait_for
from support.network import http
from support.release.versions import CONFIGURATION, DATABASE_DELETION, ID_REUSE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from support.chroma.client import Client, Collection
    from support.chroma.pool import Pool
    from support.chroma.reachable import Reachable
    from support.network.http import Response

Body = dict[str, Any] | bytes | None


class Database:
    """A scenario's own database: its collections have the names that the scenario gives them, and go with it.

    It is made when it is first needed. A Chroma that can delete no database has a
    single one for all scenarios, which stays, and is empty between them; a mark beside it says who uses it. With a `pool` it borrows collections that need
    not be new.
    """

    def __init__(
        self,
        chroma: Reachable,
        run_id: str,
        pool: Pool | None = None,
    ) -> None:
        self._deletes = DATABASE_DELETION in chroma.capabilities
        self._configures = CONFIGURATION in chroma.capabilities
        self.reuses_ids = ID_REUSE in chroma.capabilities
        self._run_id = run_id
        self._chroma = chroma
        self._databases = chroma.tenancy.databases
        # Where an id cannot be given again, a collection that was used is not as good as a new one.
        self._pool = pool if self.reuses_ids else None
        self._borrowed: list[Collection] = []
        self._numbers = itertools.count(1)
        self._mark = f"mark-{uuid.uuid4().hex[:8]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool:
            for collection in self._borrowed:
                self._pool.take_back(collection)
        if not self._is_made:
            return
        # Where the release is gone, its databases went with it or stay with its data.
        if self.is_there():
            self._remove()
        self.client.close()

    @cached_property
    def _name(self) -> str:
        return name_of(self._run_id, self._clock()) if self._deletes else SHARED

    def _clock(self) -> float:
        """Return the time of the release's clock, in seconds since 1970; where it does not tell, that of this machine."""
        try:
            return float(self._ask("GET", HEARTBEAT).json()["nanosecond heartbeat"]) / 1e9
        except (http.NoResponse, ValueError, KeyError, TypeError):
            return time.time()

    @property
    def name(self) -> str:
        """The name of the database, which is there from now on."""
        return self.client.database

    @cached_property
    def client(self) -> Client:
        """A client of the database, which is there from now on."""
        if self._deletes:
            self._insist("POST", self._databases, {"name": self._name})
            restraint().tally["databases"] += 1
        else:
            self._share()
        return client(self._chroma.way, self._chroma.credential, self._name, self._chroma.tenancy.tenant)

    def create(
        self,
        name: str,
        metric: Metric = Metric.L2,
        records: Sequence[Record] = (),
        metadata: dict[str, Any] | None = None,
        hnsw: Mapping[str, int] | None = None,
    ) -> Collection:
        """Create a collection that holds these records.

        `hnsw` is how its index differs from Chroma's usual one, by Chroma's names for that.
        """
        # Older versions take the metric from the metadata, and know no configuration that this client would send.
        measured: dict[str, Any] = (
            {"metadata": metadata, "configuration": {"hnsw": {"space": metric.value, **(hnsw or {})}}}
            if self._configures
            else {"metadata": {**(metadata or {}), "hnsw:space": metric.value}}
        )
        collection = self.client.create_collection(name, embedding_function=None, **measured)
        add(collection, records)
        return collection

    def reuse(
        self, metric: Metric = Metric.L2, dimension: int = DIMENSION, records: Sequence[Record] = ()
    ) -> Collection:
        """Return a collection of one dimension that holds these records, and no others; it may be an emptied one.

        Its files stay on the claim for good, so that a scenario which promises nothing of a new one should not make one
        (docs/persistence.md).
        """
        if not self._pool:
            return self.create(f"collection-{next(self._numbers)}", metric, records)
        collection = self._pool.lend(metric, dimension)
        self._borrowed.append(collection)
        add(collection, records)
        return collection

    def open(self, name: str) -> Collection:
        """Open a collection by its name; raises `NotFoundError` where there is none."""
        return self.client.get_collection(name, embedding_function=None)

    def delete(self, name: str) -> None:
        """Delete a collection."""
        self.client.delete_collection(name)

    def names(self) -> list[str]:
        """List the names of the database's collections, in alphabetical order."""
        return sorted(collection.name for collection in self.client.list_collections())

    def ask(self, method: str, tail: str, body: Body = None) -> Response:
        """Ask past the client, which refuses much by itself; `tail` is the path below the database's collections."""
        return self._ask(method, f"{self._databases}/{self.name}/collections{tail}", body)

    def ask_of(self, collection: Collection, method: str, tail: str = "", body: Body = None) -> Response:
        """Ask a collection past the client, in whichever database it is; `tail` is the path below it."""
        path = f"{self._databases}/{collection.database}/collections/{collection.id}{tail}"
        return self._ask(method, path, body)

    def _ask(self, method: str, path: str, body: Body = None) -> Response:
        return http.ask(self._chroma.way, method, path, self._chroma.credential.headers, body)

    @property
    def _is_made(self) -> bool:
        return "client" in vars(self)

    def is_there(self) -> bool:
        """Whether the release has the database."""
        try:
            return self._has(self._name)
        except http.NoResponse:
            return False

    def _has(self, database: str) -> bool:
        return outcome(self._ask("GET", f"{self._databases}/{database}")) is Outcome.ACCEPTED

    def _share(self) -> None:
        """Ensure the database that all scenarios share, and say in a mark whose its collections are from now on."""
        for name in (SHARED, MARKS):
            if not self._has(name):
                self._insist("POST", self._databases, {"name": name})
        owner = {OWNER: name_of(self._run_id, self._clock())}
        self._insist(
            "POST", f"{self._databases}/{MARKS}/collections", {"name": self._mark, "metadata": owner}
        )

    def _remove(self) -> None:
        # Deleting the database alone leaves rows of its collections behind (measured on 1.5.9).
        for name in self.names():
            self._insist("DELETE", f"{self._databases}/{self.name}/collections/{name}")
        if self._deletes:
            self._insist("DELETE", f"{self._databases}/{self.name}")
            restraint().tally["databases removed"] += 1
        else:
            self._insist("DELETE", f"{self._databases}/{MARKS}/collections/{self._mark}")

    def _insist(self, method: str, path: str, body: Body = None) -> None:
        # While somebody else writes, Chroma may answer that the database is locked (500, measured on 1.5.9).
        responses: list[Response] = []

        def is_done() -> bool:
            responses.append(self._ask(method, path, body))
            return outcome(responses[-1]) is not Outcome.FAILED

        wait_for(is_done, kept().locked, lambda: f"not done: {responses[-1]}")
        expect(Outcome.ACCEPTED, responses[-1])
