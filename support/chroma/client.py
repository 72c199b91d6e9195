"""Talks to Chroma as its users do, through Chroma's own Python client; nothing else imports chromadb."""

from __future__ import annotations

import json
import time
from contextvars import ContextVar
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

import httpx

from support.core.component import DEFAULT_DATABASE, TENANT
from support.core.restraint import restraint
from support.core.wait import kept
from support.network.way import netloc

if TYPE_CHECKING:
    from chromadb.api.client import Client as Client  # noqa: PLC0414 - others name it, too
    from chromadb.api.fastapi import FastAPI
    from chromadb.api.models.Collection import Collection as Collection  # noqa: PLC0414 - likewise

    from support.chroma.reachable import Credential
    from support.network.way import Way


# Under this name a request has the moment at which it left.
_SENT: Final = "chroma_conformance_sent"
# The way of the client that is being opened.
_way: ContextVar[Way] = ContextVar("way")


def client(
    way: Way, credential: Credential, database: str = DEFAULT_DATABASE, tenant: str = TENANT
) -> Client:
    """Open the client that users open, through a way in; `close()` it at the end.

    Raises `ValueError` or a `ChromaError` where the release does not let it in.
    """
    # Its import takes a second, and most processes open no client.
    import chromadb  # noqa: PLC0415 - see above
    from chromadb.api import fastapi  # noqa: PLC0415 - see above
    from chromadb.config import Settings  # noqa: PLC0415 - see above

    # Closing a client leaves its connections open, and so does one that is not let in (chromadb 1.5.9).
    fastapi.FastAPI.stop = _stop  # type: ignore[method-assign,assignment]  # see above
    fastapi.httpx = SimpleNamespace(Client=_session)  # type: ignore[assignment,attr-defined]  # what it asks of httpx, and no more
    taken = _way.set(way)
    try:
        opened = chromadb.HttpClient(
            host=netloc(way.host),
            port=way.port,
            ssl=way.tls,
            headers=dict(credential.headers),
            settings=Settings(anonymized_telemetry=False),
            tenant=tenant,
            database=database,
        )
    finally:
        _way.reset(taken)
    return cast("Client", opened)


def _session(**given: Any) -> httpx.Client:
    """Make the connections of a client, which take its way as those of every other caller do.

    Left to itself it would go through the environment's proxies, trust other authorities than the machine does, and wait
    for ever; it has a setting for none of these (chromadb 1.5.9).
    """
    return httpx.Client(
        **{**given, "verify": _way.get().verify, "trust_env": False, "timeout": kept().call},
        event_hooks={"request": [_account], "response": [_note]},
    )


def _account(request: httpx.Request) -> None:
    """Account for a request before it leaves."""
    path, body = request.url.path, request.content
    records = 0
    if path.endswith(("/add", "/upsert")):
        ids = json.loads(body).get("ids")
        records = len(ids) if isinstance(ids, list) else 0
    restraint().asks_release(request.method, path, len(body), records)
    request.extensions = {**request.extensions, _SENT: time.monotonic()}


def _note(response: httpx.Response) -> None:
    """Account for an answer, whose beginning has come: Chroma sends it once it is whole."""
    restraint().was_answered(time.monotonic() - response.request.extensions[_SENT])


def _stop(server: FastAPI) -> None:
    server._session.close()  # noqa: SLF001 - it has no other way to close it
