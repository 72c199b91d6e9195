"""Does several things at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

# As many requests as a release has objects, so that one round-trip serves them all.
_AT_ONCE: Final = 10


def in_parallel(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Make all calls at the same time and return their results in order.

    Every call is made to its end; the first error is raised, with the others as its notes.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = [pool.submit(call) for call in calls]
    errors = [error for future in futures if (error := future.exception())]
    if errors:
        for other in errors[1:]:
            errors[0].add_note(f"and: {other}")
        raise errors[0]
    return [future.result() for future in futures]
