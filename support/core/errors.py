"""The one root of the errors that the suite raises: each is a message for people, and no traceback is shown for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.core.symptoms import Symptom


class SuiteError(Exception):
    """The suite cannot do what was asked, or finds a promise broken; the text says what is wrong and what to do.

    `symptom` is what was seen of a release, where that was the reason.
    """

    symptom: Symptom | None = None

    def __init__(self, *words: object, symptom: Symptom | None = None) -> None:
        super().__init__(*words)
        if symptom:
            self.symptom = symptom
