"""Closed vocabularies: with a word that is not in one, a step is undefined."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class OneOf:
    """Converts a word of a vocabulary into what it means."""

    def __init__(self, vocabulary: Mapping[str, Any]) -> None:
        self.pattern = "|".join(map(re.escape, vocabulary))
        self._vocabulary = vocabulary

    @classmethod
    def itself(cls, words: Iterable[str]) -> OneOf:
        """Return a vocabulary whose words mean themselves."""
        return cls({word: word for word in words})

    def __call__(self, word: str) -> Any:
        """Return what a word means."""
        return self._vocabulary[word]
