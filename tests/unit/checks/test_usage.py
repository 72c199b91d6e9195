"""The usage examples, without a cluster and without a network: in Chroma's own process, to which nobody has to connect."""

from __future__ import annotations

import socket
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import chromadb
import pytest
from chromadb.config import Settings

from support.checks.usage import corpus, journey, langchain, llamaindex, python_client
from support.chroma import embedding
from support.chroma.types import Metric
from support.laws.oracle import distance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.chroma.client import Client


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    def refuse(*address: Any, **_: Any) -> None:
        pytest.fail(f"a library reached out for {address}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    client = cast("Client", chromadb.EphemeralClient(Settings(anonymized_telemetry=False)))
    yield client
    client.close()


@pytest.mark.parametrize(
    "example", [python_client, langchain, llamaindex], ids=lambda example: example.__name__
)
def test_an_example_keeps_finds_and_forgets_without_a_network(example: Any, client: Client) -> None:
    seen = example.follow(client)
    journey.assert_kept(seen)
    journey.assert_nearest_first(seen)
    journey.assert_filtered(seen)
    journey.assert_forgotten(seen)


def test_the_order_of_the_answer_is_beyond_doubt() -> None:
    asked = embedding.embed(corpus.QUESTION)
    distances = sorted(distance(Metric.L2, asked, embedding.embed(text)) for text in corpus.texts())
    assert all(farther - nearer > 0.01 for nearer, farther in pairwise(distances[: corpus.NEAREST + 1]))


def test_the_filter_hides_the_nearest_document() -> None:
    assert corpus.answer()[0] not in corpus.answer(corpus.SOURCE)


def test_the_document_that_is_deleted_is_in_the_answer() -> None:
    (deleted,) = [document.text for document in corpus.DOCUMENTS if document.id == corpus.DELETED]
    assert deleted in corpus.answer()
