"""The documented walk-through in plain requests, in the interface's old version (v1) and in its new one (v2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from support.checks.usage import corpus
from support.checks.usage.journey import Journey
from support.chroma import embedding
from support.chroma.outcomes import Outcome, expect
from support.network import http

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.chroma.reachable import Credential, Tenancy
    from support.network.http import Response
    from support.network.way import Way

Body = dict[str, Any] | None

# The documentation names no database, and so means the default one; v1 takes another one from the query.
INTERFACES: Final[Mapping[str, Callable[[Tenancy, str], str]]] = {
    "API v1": lambda it, tail: f"/api/v1/collections{tail}?tenant={it.tenant}&database={it.database}",
    "API v2": lambda it, tail: f"{it.collections}{tail}",
}
_NAME: Final = "my_collection"


class Walk:
    """One who asks plainly, in one interface, about one database."""

    def __init__(self, interface: str, way: Way, credential: Credential, tenancy: Tenancy) -> None:
        self._path = INTERFACES[interface]
        self._way = way
        self._credential = credential
        self._tenancy = tenancy

    def ask(self, method: str, tail: str, body: Body = None) -> Response:
        """Ask with the token; `tail` is the path below the database's collections."""
        path = self._path(self._tenancy, tail)
        return http.ask(self._way, method, path, self._credential.headers, body)

    def walk(self) -> Journey:
        """Create a collection, add, read, ask, filter and delete, as the documentation does; each request must be accepted.

        Where the documentation adds and asks by the collection's name, this does it by its id, as every release wants it.
        """
        created = self._insist("POST", "", {"name": _NAME, "metadata": {"description": "Test collection"}})
        of = f"/{created['id']}"
        self._insist("POST", f"{of}/add", _columns())
        kept = self._insist("POST", f"{of}/get", {"include": ["documents", "metadatas"]})
        nearest = self._insist("POST", f"{of}/query", _question())
        filtered = self._insist("POST", f"{of}/query", _question() | {"where": {"source": corpus.SOURCE}})
        self._insist("POST", f"{of}/delete", {"ids": [corpus.DELETED]})
        left = self._insist("POST", f"{of}/get", {"include": ["documents"]})
        self._insist("DELETE", f"/{_NAME}")
        return Journey(
            collection=_NAME,
            kept={
                text: metadata["source"]
                for text, metadata in zip(kept["documents"], kept["metadatas"], strict=True)
            },
            nearest=nearest["documents"][0],
            filtered=filtered["documents"][0],
            left=left["documents"],
            collections=[one["name"] for one in self._insist("GET", "")],
        )

    def add_by_name(self, name: str) -> Response:
        """Add the documents to a collection that is addressed by its name, as the documentation does."""
        return self.ask("POST", f"/{name}/add", _columns())

    def query_by_name(self, name: str) -> Response:
        """Ask a collection that is addressed by its name, as the documentation does."""
        return self.ask("POST", f"/{name}/query", _question())

    def _insist(self, method: str, tail: str, body: Body = None) -> Any:
        return expect(Outcome.ACCEPTED, self.ask(method, tail, body)).json()


def _columns() -> dict[str, Any]:
    return {
        "ids": [document.id for document in corpus.DOCUMENTS],
        "embeddings": [embedding.embed(document.text) for document in corpus.DOCUMENTS],
        "documents": corpus.texts(),
        "metadatas": [{"source": document.source} for document in corpus.DOCUMENTS],
    }


def _question() -> dict[str, Any]:
    return {"query_embeddings": [embedding.embed(corpus.QUESTION)], "n_results": corpus.NEAREST}
