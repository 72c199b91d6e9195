"""The documents that the usage examples keep, an embedding of them that needs no model, and what a question must answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from support.chroma.embedding import embed
from support.chroma.types import Metric, Record
from support.laws.oracle import nearest


@dataclass(frozen=True)
class Document:
    """A text, the id that it is kept under, and the file that it is from."""

    id: str
    text: str
    source: str


DOCUMENTS: Final = (
    Document("moss", "Moss grows on the stones beside a stream.", "plants.txt"),
    Document("fern", "Ferns unfold in the shade of old trees.", "plants.txt"),
    Document("lichen", "Lichen covers stones where nothing else grows.", "plants.txt"),
    Document("heron", "A heron waits in the stream for fish.", "birds.txt"),
    Document("owl", "The owl hunts above the trees at night.", "birds.txt"),
)
# Its nearest document is not of the source that the filter lets through, so that the filter shows.
QUESTION: Final = "What grows on stones in a stream?"
SOURCE: Final = "birds.txt"
# The document that is deleted, and how many nearest ones are asked for.
DELETED: Final = "lichen"
NEAREST: Final = 3


def texts() -> list[str]:
    """Return the text of every document."""
    return [document.text for document in DOCUMENTS]


def answer(source: str | None = None) -> list[str]:
    """Return the texts nearest to the question, the nearest first; of one source alone, if it is named."""
    asked = [document for document in DOCUMENTS if source in {None, document.source}]
    records = [Record(document.id, embed(document.text), document.text) for document in asked]
    ordered = nearest(Metric.L2, embed(QUESTION), records)
    return [str(record.document) for _, record in ordered[:NEAREST]]


def sources() -> dict[str, str]:
    """Return the source of each document, by its text."""
    return {document.text: document.source for document in DOCUMENTS}


def left() -> list[str]:
    """Return the texts that are left once one document has been deleted."""
    return [document.text for document in DOCUMENTS if document.id != DELETED]
