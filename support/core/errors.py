"""The one root of the errors that the suite raises: each is a message for people, and no traceback is shown for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.core.symptoms import Symptom


class SuiteError(Exception):
    """The suite cannot do what was asked, or finds a promise broken; the text says what is wrong and what to do.

    `remedy` is what to do, where that is known apart from the text. `symptom` is what was seen of a release, where that was
    the reason.
    """

    remedy: str = ""
    symptom: Symptom | None = None

    def __init__(self, *words: object, remedy: str = "", symptom: Symptom | None = None) -> None:
        super().__init__(*words)
        if remedy:
            self.remedy = remedy
        if symptom:
            self.symptom = symptom
