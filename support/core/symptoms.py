"""What a caller saw of a release: an answer, or the error that came instead, in fields. A diagnosis reads these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Symptom:
    """One answer, or an error in its place.

    `words` are for people; a diagnosis reads in them only what Chroma, its clients, Python or an ingress say.
    `way` names the route ("ingress", "service", "pod"), "" where no question was sent. `status` is that of HTTP, 0 without
    an answer. `speaks_json`: the answer came from Chroma or its gateway, and not from an ingress. `error` is the class of
    what came instead. `let_in`: a caller whom the release has to refuse was given something else.
    """

    words: str
    way: str = ""
    status: int = 0
    speaks_json: bool = False
    error: str = ""
    let_in: bool = False

    @classmethod
    def answered(cls, words: str, way: str, status: int, body: str, *, let_in: bool = False) -> Symptom:
        """Return what an answer says: Chroma and its gateway speak JSON, an ingress plain text or HTML."""
        return cls(words, way, status, speaks_json=body.lstrip().startswith(("{", "[")), let_in=let_in)

    @classmethod
    def failed(cls, asked: str, way: str, error: Exception) -> Symptom:
        """Return what an error says that came instead of an answer to what was asked."""
        kind = type(error).__name__
        return cls(f"{asked}: {kind}: {error}", way, error=kind)

    def __str__(self) -> str:
        return self.words


def symptom_of(error: BaseException) -> Symptom:
    """Return what was seen where an error was raised: what it says itself, or its class and its words."""
    said = getattr(error, "symptom", None)
    return said if isinstance(said, Symptom) else Symptom(str(error), error=type(error).__name__)
