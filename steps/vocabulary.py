"""Closed vocabularies: with a word that is not in one, a step is undefined."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_bdd import parsers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


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


def parser(**vocabularies: OneOf) -> Callable[[str], parsers.parse]:
    """Return the `parse` of a module of steps: it knows these vocabularies by their names."""
    return lambda text: parsers.parse(text, vocabularies)
