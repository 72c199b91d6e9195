"""Reads in Chroma's container what only that sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.core.wait import kept
from support.deploy.ways_in import CONTAINER, POD
from support.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from support.deploy.live import Live


def readings(live: Live, readers: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield what each of some programs says, or why it cannot be run: an image has few, and not every image the same.

    Raises an `ApiError` where nothing can be run in the container.
    """
    for reader in readers:
        try:
            read = live.kube.exec(live.namespace, POD, CONTAINER, list(reader), kept().reading)
        except ApiError as error:  # mostly the image has no such program
            if error.lasting:
                raise
            yield str(error)
        else:
            yield (read.stdout + read.stderr).decode("utf-8", "replace")
