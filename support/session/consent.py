"""Asks an operator whether what users would notice is to be done: by an option, or at the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from support.commands.call import NotConsentedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

_YES = {"y", "yes"}


class Consent:
    """The operator's consent; `given` with an option, else it is asked for where there is a terminal."""

    def __init__(self, config: pytest.Config, *, given: bool) -> None:
        self._config = config
        self._given = given

    def __call__(self, reasons: Sequence[str]) -> None:
        """Ask whether to go on in spite of some reasons, of which none needs no consent; raises `NotConsentedError`."""
        if not reasons or self._given:
            return
        stated = "\n  ".join(("this wants your consent:", *reasons))
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        if capture:
            capture.suspend(in_=True)  # pytest keeps the terminal's input from whatever it runs
        try:
            if not sys.stdin.isatty():
                raise NotConsentedError(f"{stated}\nnothing was changed; with --yes it is done")
            print(f"{stated}\ngo on? [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201 - a question to the operator
            if sys.stdin.readline().strip().lower() not in _YES:
                raise NotConsentedError("nothing was changed, since you did not agree")
        finally:
            if capture:
                capture.resume()
                capture.suspend()
