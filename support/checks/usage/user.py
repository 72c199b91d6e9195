"""A user of a live release who follows its documentation, from outside the cluster or from within."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.checks.usage import langchain, llamaindex, python_client
from support.checks.usage.rest_api import Walk
from support.chroma import client as chroma_client
from support.chroma.reachable import Tenancy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.checks.usage.journey import Journey
    from support.chroma.client import Client, Collection
    from support.chroma.database import Database
    from support.chroma.reachable import Reachable
    from support.network.http import Response
    from support.network.way import Routes, WayName

# A notebook uses the Python client; what it is about is the way that it takes.
EXAMPLES: Final[Mapping[str, Callable[[Client], Journey]]] = {
    "the Python client": python_client.follow,
    "LangChain": langchain.follow,
    "LlamaIndex": llamaindex.follow,
    "a notebook": python_client.follow,
}

# What the documentation asks of a collection by its name.
BY_NAME: Final[Mapping[str, Callable[[Walk, str], Response]]] = {
    "add documents": Walk.add_by_name,
    "query": Walk.query_by_name,
}


class User:
    """A user of a Chroma in the scenario's own database, where nothing of anybody else is met."""

    def __init__(self, chroma: Reachable, routes: Routes, database: Database) -> None:
        self._chroma = chroma
        self._routes = routes
        self._database = database

    def follow(self, example: str, way: WayName) -> Journey:
        """Follow the example of a library."""
        client = chroma_client.client(
            self._routes.way(way),
            self._chroma.credential,
            self._database.name,
            self._chroma.tenancy.tenant,
        )
        try:
            return EXAMPLES[example](client)
        finally:
            client.close()

    def walk(self, interface: str, way: WayName) -> Journey:
        """Walk through the requests of an interface."""
        return self._walk(interface, way, self._database.name).walk()

    def ask_by_name(self, interface: str, request: str, collection: Collection) -> Response:
        """Ask, through the ingress, a collection that is addressed by its name."""
        return BY_NAME[request](self._walk(interface, "ingress", collection.database), collection.name)

    def _walk(self, interface: str, way: WayName, database: str) -> Walk:
        tenancy = Tenancy(self._chroma.tenancy.tenant, database)
        return Walk(interface, self._routes.way(way), self._chroma.credential, tenancy)
