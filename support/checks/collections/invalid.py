"""Invalid writes and names, by the words of the feature, which Chroma's own client would not send."""

from __future__ import annotations

from base64 import b64encode
from struct import pack
from typing import TYPE_CHECKING, Any, Final

from support.chroma.samples import DIMENSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.chroma.client import Collection
    from support.chroma.database import Body, Database
    from support.network.http import Response

_VECTOR: Final = [0.5] * DIMENSION


def _write(**said: Any) -> dict[str, Any]:
    return {"ids": ["nonsense"], "embeddings": [_VECTOR], **said}


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


def write(database: Database, collection: Collection, what: str) -> Response:
    """Add to a collection what `WRITES` says."""
    return database.ask_of(collection, "POST", "/add", WRITES[what])


def create(database: Database, flaw: str) -> Response:
    """Create a collection with a name of `NAMES`."""
    return database.ask("POST", "", {"name": NAMES[flaw]})
