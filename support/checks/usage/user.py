"""A user of a live release who follows its documentation, from outside the cluster or from within."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.checks.usage import langchain, llamaindex, python_client
from support.checks.usage.rest_api import Walk
from support.chroma import client as chroma_client
from support.deploy.ways_in import way_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.checks.usage.journey import Journey
    from support.chroma.client import Client, Collection
    from support.chroma.database import Database
    from support.deploy.live import Live
    from support.network.http import Response
    from support.network.vantage import Vantage
    from support.network.way import WayName

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
    """A user of the live release in the scenario's own database, where nothing of anybody else is met."""

    def __init__(self, live: Live, vantage: Vantage, database: Database) -> None:
        self._live = live
        self._vantage = vantage
        self._database = database

    def follow(self, example: str, way: WayName) -> Journey:
        """Follow the example of a library."""
        client = chroma_client.client(
            way_in(self._live, way, self._vantage), self._live.token, self._database.name
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
        return Walk(interface, way_in(self._live, way, self._vantage), self._live.token, database)
