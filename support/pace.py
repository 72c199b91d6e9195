"""Warns whoever runs the suite of answers that are slow: a pace is nobody's promise, and so no failure."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

from support.troubles import Diagnosis, Trouble

if TYPE_CHECKING:
    from support.performance import Pace

# Seconds: some twenty times what an answer takes through the whole way on the embedded cluster.
SLOW: Final = 0.1


class SlowQuestions(UserWarning):
    """Questions are answered, but slowly; the text says how slowly, and what to do."""


def warn(measured: Pace, limit: float = SLOW) -> None:
    """Warn if answers usually take longer than a number of seconds; one slow answer is bad luck."""
    if measured.median > limit:
        told = f"{measured.what} takes {measured}; slow is what usually takes more than {limit * 1000:g} ms"
        warnings.warn(str(Diagnosis(Trouble.SLOW, told)), SlowQuestions, stacklevel=2)


def assert_warning_is_complete(measured: Pace) -> None:
    """Assert that of a pace that counts as slow, as any does by a limit of nothing, the time and the remedy are told."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn(measured, limit=0)
    told = [str(one.message) for one in caught if one.category is SlowQuestions]
    assert len(told) == 1, f"no warning of {measured.what}: {measured}"
    assert str(measured) in told[0], f"a warning without the time: {told[0]}"
    assert "fewer records" in told[0], f"a warning without a remedy: {told[0]}"
