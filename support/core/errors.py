"""The one root of the errors that the suite raises: each is a message for people, and no traceback is shown for it."""

from __future__ import annotations


class SuiteError(Exception):
    """The suite cannot do what was asked, or finds a promise broken; the text says what is wrong and what to do."""
