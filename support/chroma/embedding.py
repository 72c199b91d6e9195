"""The suite's embedding of texts, which needs no model."""

from __future__ import annotations

import hashlib
import math
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from support.chroma.types import Vector, float32

if TYPE_CHECKING:
    from chromadb.api.types import EmbeddingFunction


@cache
def embedding_function() -> EmbeddingFunction[Any]:
    """Return the suite's embedding of texts as Chroma's client wants it."""
    from chromadb.api.types import EmbeddingFunction  # noqa: PLC0415 - see `client`

    class Hashing(EmbeddingFunction[Any]):
        def __init__(self) -> None:
            """Take nothing; the inherited one warns."""

        def __call__(self, input: Any) -> Any:  # noqa: A002 - the client's word
            return [list(embed(text)) for text in input]

        @staticmethod
        def name() -> str:
            return "conformance-hashing"

        @staticmethod
        def build_from_config(config: dict[str, Any]) -> Hashing:
            del config
            return Hashing()

        def get_config(self) -> dict[str, Any]:
            return {}

    return Hashing()


# As of the model that Chroma's client uses by default.
DIMENSION: Final = 384


_WORD: Final = re.compile(r"[a-z]+")


def embed(text: str) -> Vector:
    """Embed a text by its words alone: each adds to a component that its hash picks; the length is 1, as of most models.

    The same text gives the same vector everywhere and ever, without a model, a download or a random number.
    """
    components = [0.0] * DIMENSION
    for word in _WORD.findall(text.lower()):
        components[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % DIMENSION] += 1.0
    length = math.hypot(*components) or 1.0
    return tuple(float32(component / length) for component in components)
