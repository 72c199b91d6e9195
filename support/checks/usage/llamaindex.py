"""The documented example of LlamaIndex, with the library as it is today; nothing else imports it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from support.checks.usage import corpus
from support.checks.usage.journey import Journey
from support.chroma import embedding

if TYPE_CHECKING:
    from support.chroma.client import Client

_NAME: Final = "llamaindex"


def follow(client: Client) -> Journey:
    """Follow the example: a directory read, indexed into a collection, asked, and documents deleted.

    The documentation's `llama_index.VectorStoreIndex` is `llama_index.core`'s today, and its query engine wants a language model:
    here one that answers with what it is asked. Texts are split at blanks: the library's own way wants a tokenizer's data.
    """
    # Their import takes 3 s of processor time.
    from llama_index.core import SimpleDirectoryReader, StorageContext, VectorStoreIndex  # noqa: PLC0415 - see above
    from llama_index.core.llms import MockLLM  # noqa: PLC0415 - see above
    from llama_index.core.node_parser import TokenTextSplitter  # noqa: PLC0415 - see above
    from llama_index.core.vector_stores import ExactMatchFilter, MetadataFilters  # noqa: PLC0415 - see above
    from llama_index.vector_stores.chroma import ChromaVectorStore  # noqa: PLC0415 - see above

    collection = client.get_or_create_collection(_NAME, embedding_function=None)
    store = ChromaVectorStore(chroma_collection=collection)
    with TemporaryDirectory() as directory:
        for document in corpus.DOCUMENTS:
            Path(directory, f"{document.id}.txt").write_text(document.text, encoding="utf-8")
        documents = SimpleDirectoryReader(directory, file_metadata=_metadata).load_data()
    for loaded in documents:
        loaded.id_ = loaded.metadata["name"]
        # Else they would be embedded with the text.
        loaded.excluded_embed_metadata_keys = list(loaded.metadata)
    index = VectorStoreIndex.from_documents(
        documents,
        storage_context=StorageContext.from_defaults(vector_store=store),
        embed_model=_embedding(),
        transformations=[TokenTextSplitter(tokenizer=str.split)],
    )
    kept: Any = collection.get()
    engine = index.as_query_engine(llm=MockLLM(), similarity_top_k=corpus.NEAREST)
    nearest = engine.query(corpus.QUESTION).source_nodes
    filters = MetadataFilters(filters=[ExactMatchFilter(key="source", value=corpus.SOURCE)])
    filtered = index.as_retriever(similarity_top_k=corpus.NEAREST, filters=filters).retrieve(corpus.QUESTION)
    index.delete_ref_doc(corpus.DELETED)
    left: Any = collection.get()
    client.delete_collection(_NAME)
    return Journey(
        collection=_NAME,
        kept={text: one["source"] for text, one in zip(kept["documents"], kept["metadatas"], strict=True)},
        nearest=[node.text for node in nearest],
        filtered=[node.text for node in filtered],
        left=left["documents"],
        collections=[one.name for one in client.list_collections()],
    )


def _metadata(file: str) -> dict[str, Any]:
    document = next(one for one in corpus.DOCUMENTS if one.id == Path(file).stem)
    return {"name": document.id, "source": document.source}


def _embedding() -> Any:
    from llama_index.core.base.embeddings.base import BaseEmbedding  # noqa: PLC0415 - see above

    class Hashing(BaseEmbedding):
        """The suite's embedding, as LlamaIndex wants it."""

        def _get_text_embedding(self, text: str) -> list[float]:
            return list(embedding.embed(text))

        def _get_query_embedding(self, query: str) -> list[float]:
            return list(embedding.embed(query))

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    return Hashing()
