"""A database for one scenario alone."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final, Self

from support.chroma.calls import add
from support.chroma.client import client
from support.chroma.outcomes import Outcome, expect, outcome
from support.chroma.types import Metric, Record
from support.core.component import TENANT, TOKEN_HEADER
from support.core.wait import kept, wait_for
from support.network import http
from support.release.versions import CONFIGURATION, DATABASE_DELETION, ID_REUSE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from pydantic import SecretStr

    from support.chroma.client import Collection
    from support.network.http import Response
    from support.network.way import Way

Body = dict[str, Any] | bytes | None


_DATABASES: Final = f"/api/v2/tenants/{TENANT}/databases"


class Database:
    """A scenario's own database: its collections have the names that the scenario gives them, and go with it.

    `capabilities` are those of the release. One that can delete no database has a single one for all scenarios, which
    stays, and is empty between them.
    """

    def __init__(self, way: Way, token: SecretStr, run_id: str, capabilities: frozenset[str]) -> None:
        self._deletes = DATABASE_DELETION in capabilities
        self._configures = CONFIGURATION in capabilities
        self.reuses_ids = ID_REUSE in capabilities
        self.name = f"conformance-{run_id}-{uuid.uuid4().hex[:8]}" if self._deletes else "conformance"
        self._way = way
        self._token = token

    def __enter__(self) -> Self:
        if self._deletes or not self._is_there():
            self._insist("POST", _DATABASES, {"name": self.name})
        self.client = client(self._way, self._token, self.name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Where the release is gone, its databases went with it or stay with its data.
        if self._is_there():
            self._remove()
        self.client.close()

    def create(
        self,
        name: str,
        metric: Metric = Metric.L2,
        records: Sequence[Record] = (),
        metadata: dict[str, Any] | None = None,
    ) -> Collection:
        """Create a collection that holds these records."""
        # Older versions take the metric from the metadata, and know no configuration that this client would send.
        measured: dict[str, Any] = (
            {"metadata": metadata, "configuration": {"hnsw": {"space": metric.value}}}
            if self._configures
            else {"metadata": {**(metadata or {}), "hnsw:space": metric.value}}
        )
        collection = self.client.create_collection(name, embedding_function=None, **measured)
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
        return self._ask(method, f"{_DATABASES}/{self.name}/collections{tail}", body)

    def _ask(self, method: str, path: str, body: Body = None) -> Response:
        headers = [(TOKEN_HEADER, self._token.get_secret_value())]
        return http.ask(self._way, method, path, headers, body)

    def _is_there(self) -> bool:
        try:
            return outcome(self._ask("GET", f"{_DATABASES}/{self.name}")) is Outcome.ACCEPTED
        except http.NoResponse:
            return False

    def _remove(self) -> None:
        # Deleting the database alone leaves rows of its collections behind (measured on 1.5.9).
        for name in self.names():
            self._insist("DELETE", f"{_DATABASES}/{self.name}/collections/{name}")
        if self._deletes:
            self._insist("DELETE", f"{_DATABASES}/{self.name}")

    def _insist(self, method: str, path: str, body: Body = None) -> None:
        # While somebody else writes, Chroma may answer that the database is locked (500, measured on 1.5.9).
        responses: list[Response] = []

        def is_done() -> bool:
            responses.append(self._ask(method, path, body))
            return outcome(responses[-1]) is not Outcome.FAILED

        wait_for(is_done, kept().locked, lambda: f"not done: {responses[-1]}")
        expect(Outcome.ACCEPTED, responses[-1])
