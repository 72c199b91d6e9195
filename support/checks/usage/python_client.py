"""The documented example of Chroma's Python client, which embeds texts by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from support.checks.usage import corpus
from support.checks.usage.journey import Journey
from support.chroma import embedding
from support.chroma.embedding import embedding_function
from support.core.promises import PromiseBroken

if TYPE_CHECKING:
    from support.chroma.client import Client

_NAME: Final = "my_documents"


def follow(client: Client) -> Journey:
    """Follow the example, from the heartbeat to the deleted collection.

    The documentation leaves the embedding to the client's default, which would download a model; here it is the suite's.
    """
    beat = client.heartbeat()
    if beat <= 0:
        raise PromiseBroken("a heartbeat", beat)
    client.get_or_create_collection(
        name=_NAME, metadata={"description": "Document embeddings"}, embedding_function=None
    )
    # Opened with it, not created: Chroma 0.5.23 fails (500) where a client of 1.x names an embedding as it creates.
    collection = client.get_collection(_NAME, embedding_function=embedding_function())
    collection.add(
        ids=[document.id for document in corpus.DOCUMENTS],
        documents=corpus.texts(),
        metadatas=[{"source": document.source} for document in corpus.DOCUMENTS],
    )
    kept: Any = collection.get()
    nearest: Any = collection.query(query_texts=[corpus.QUESTION], n_results=corpus.NEAREST)
    vectors: Any = [list(embedding.embed(corpus.QUESTION))]
    filtered: Any = collection.query(
        query_embeddings=vectors, n_results=corpus.NEAREST, where={"source": corpus.SOURCE}
    )
    collection.delete(ids=[corpus.DELETED])
    left: Any = collection.get()
    client.delete_collection(name=_NAME)
    return Journey(
        collection=_NAME,
        kept={text: one["source"] for text, one in zip(kept["documents"], kept["metadatas"], strict=True)},
        nearest=nearest["documents"][0],
        filtered=filtered["documents"][0],
        left=left["documents"],
        collections=[one.name for one in client.list_collections()],
    )
