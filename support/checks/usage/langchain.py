"""The documented example of LangChain, with the library as it is today; nothing else imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from support.checks.usage import corpus
from support.checks.usage.journey import Journey
from support.chroma import embedding

if TYPE_CHECKING:
    from support.chroma.client import Client

_NAME: Final = "langchain_docs"


def follow(client: Client) -> Journey:
    """Follow the example: a vector store on the client, documents added, searched, and asked for as a retriever does.

    The documentation's `langchain.vectorstores` is gone from LangChain; its place took the package langchain-chroma.
    """
    # Its import takes 1.5 s of processor time.
    from langchain_chroma import Chroma  # noqa: PLC0415 - see above
    from langchain_core.documents import Document  # noqa: PLC0415 - see above
    from langsmith import tracing_context  # noqa: PLC0415 - see above

    # Whoever has LangSmith's variables in the environment would report each question to it.
    with tracing_context(enabled=False):
        store = Chroma(client=client, collection_name=_NAME, embedding_function=_embeddings())
        store.add_documents(
            [
                Document(page_content=one.text, metadata={"source": one.source}, id=one.id)
                for one in corpus.DOCUMENTS
            ]
        )
        kept: Any = store.get()
        nearest = store.similarity_search(corpus.QUESTION, k=corpus.NEAREST)
        retriever = store.as_retriever(
            search_kwargs={"k": corpus.NEAREST, "filter": {"source": corpus.SOURCE}}
        )
        filtered = retriever.invoke(corpus.QUESTION)
        store.delete(ids=[corpus.DELETED])
        left: Any = store.get()
        store.delete_collection()
    return Journey(
        collection=_NAME,
        kept={text: one["source"] for text, one in zip(kept["documents"], kept["metadatas"], strict=True)},
        nearest=[document.page_content for document in nearest],
        filtered=[document.page_content for document in filtered],
        left=left["documents"],
        collections=[one.name for one in client.list_collections()],
    )


def _embeddings() -> Any:
    from langchain_core.embeddings import Embeddings  # noqa: PLC0415 - see above

    class Hashing(Embeddings):
        """The suite's embedding, as LangChain wants it."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [list(embedding.embed(text)) for text in texts]

        def embed_query(self, text: str) -> list[float]:
            return list(embedding.embed(text))

    return Hashing()
