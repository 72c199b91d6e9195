"""Invalid queries, by the words of the feature, which Chroma's own client would not send."""

from __future__ import annotations

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


def ask(database: Database, collection: Collection, question: str) -> Response:
    """Ask a collection a question of `QUESTIONS`."""
    return database.ask_of(collection, "POST", "/query", QUESTIONS[question])


def ask_for(database: Database, collection: Collection, count: int) -> Response:
    """Ask a collection for a number of records, even one that the client would refuse."""
    return database.ask_of(collection, "POST", "/query", _question(n_results=count))


def assert_empty(response: Response) -> None:
    """Assert that an answer was given, to one question, and that it has no record."""
    ids = expect(Outcome.ACCEPTED, response).json()["ids"]
    if ids != [[]]:
        raise PromiseBroken("an answer without records", ids)
