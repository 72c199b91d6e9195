"""The one error for a promise that is not kept, with what was promised and what was seen as fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.core.errors import SuiteError

if TYPE_CHECKING:
    from support.core.symptoms import Symptom


class PromiseBroken(SuiteError, AssertionError):  # noqa: N818 - a fact, not a mistake
    """A promise is not kept: `promised` and `seen` say so in words."""

    def __init__(self, promised: object, seen: object, symptom: Symptom | None = None) -> None:
        self.promised = str(promised)
        self.seen = str(seen)
        super().__init__(f"promised: {self.promised}\nseen:     {self.seen}", symptom=symptom)
