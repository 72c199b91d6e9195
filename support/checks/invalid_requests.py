"""Questions, writes and names that make no sense, by the words of the features; Chroma's own client lets none of them out."""

from __future__ import annotations

from base64 import b64encode
from struct import pack
from typing import TYPE_CHECKING, Any, Final

from support.chroma.outcomes import Outcome, expect
from support.chroma.samples import DIMENSION
from support.core.promises import PromiseBroken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.chroma.client import Collection
    from support.chroma.database import Body, Database
    from support.network.http import Response

_VECTOR: Final = [0.5] * DIMENSION


def _question(**said: Any) -> dict[str, Any]:
    return {"query_embeddings": [_VECTOR], **said}


def _write(**said: Any) -> dict[str, Any]:
    return {"ids": ["nonsense"], "embeddings": [_VECTOR], **said}


QUESTIONS: Final[Mapping[str, Body]] = {
    "with a vector of another dimension": _question(query_embeddings=[[*_VECTOR, 0.5]]),
    "with null in its vector": _question(query_embeddings=[[*_VECTOR[1:], None]]),
    "with NaN in its vector": b'{"query_embeddings": [[NaN]]}',
    "without a vector": {},
    "for a negative number of records": _question(n_results=-1),
    "for 0.5 records": _question(n_results=0.5),
    "for an unknown include field": _question(include=["colours"]),
    "with an empty filter": _question(where={}),
    "with two conditions without $and or $or": _question(where={"topic": "moths", "even": True}),
    "with an unknown operator": _question(where={"topic": {"$like": "moths"}}),
    "with an empty $in": _question(where={"topic": {"$in": []}}),
    "with $in of a string and a number": _question(where={"topic": {"$in": ["moths", 1]}}),
    "with $gt on a string": _question(where={"topic": {"$gt": "moths"}}),
    "with an invalid $regex": _question(where_document={"$regex": "("}),
}

WRITES: Final[Mapping[str, Body]] = {
    "with a vector of another dimension": _write(embeddings=[[*_VECTOR, 0.5]]),
    # The client sends vectors in this way.
    "with NaN in its vector": _write(
        embeddings=[b64encode(pack(f"<{DIMENSION}f", *[float("nan")] * DIMENSION)).decode()]
    ),
    "with a component beyond float32": _write(embeddings=[[*_VECTOR[1:], 1e39]]),
    "without a vector": {"ids": ["nonsense"]},
    "with more ids than vectors": _write(ids=["nonsense", "more of it"]),
    "with an empty id": _write(ids=[""]),
    "with nested metadata": _write(metadatas=[{"topic": {"of": "moths"}}]),
    "with a list of a string and a number": _write(metadatas=[{"topic": ["moths", 1]}]),
    "with a key that Chroma reserves": _write(metadatas=[{"#topic": "moths"}]),
}

NAMES: Final[Mapping[str, str]] = {
    "of two letters": "no",
    "of 513 letters": "n" * 513,
    "with a space": "field notes",
    "with a letter beyond ASCII": "fieldnötes",
    "that ends in a dash": "field-notes-",
    "with two dots in a row": "field..notes",
    "that is an IP address": "192.0.2.1",
}


def ask(database: Database, collection: Collection, question: str) -> Response:
    """Ask a collection a question of `QUESTIONS`."""
    return database.ask("POST", f"/{collection.id}/query", QUESTIONS[question])


def ask_for(database: Database, collection: Collection, count: int) -> Response:
    """Ask a collection for a number of records, even one that the client would refuse."""
    return database.ask("POST", f"/{collection.id}/query", _question(n_results=count))


def assert_empty(response: Response) -> None:
    """Assert that an answer was given, to one question, and that it has no record."""
    ids = expect(Outcome.ACCEPTED, response).json()["ids"]
    if ids != [[]]:
        raise PromiseBroken("an answer without records", ids)


def write(database: Database, collection: Collection, what: str) -> Response:
    """Add to a collection what `WRITES` says."""
    return database.ask("POST", f"/{collection.id}/add", WRITES[what])


def create(database: Database, flaw: str) -> Response:
    """Create a collection with a name of `NAMES`."""
    return database.ask("POST", "", {"name": NAMES[flaw]})
