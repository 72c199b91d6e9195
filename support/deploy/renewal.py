"""Renews what would lapse, in a thread of its own, for as long as a run lives."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from support.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

# How often something is renewed before it would lapse.
_RENEWALS: Final = 6

_log = logging.getLogger(__name__)


class Renewal:
    """Calls `renew` until it is stopped, or until that returns False; `what` names the thing, which lapses after `lapse` seconds.

    A renewal that fails is tried again.
    """

    def __init__(self, what: str, lapse: float, renew: Callable[[], object]) -> None:
        self._what = what
        self._lapse = lapse
        self._renew = renew
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=what, daemon=True)

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def stop(self) -> None:
        """Renew no more, and wait for a renewal that is on its way."""
        self._ended.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._ended.wait(self._lapse / _RENEWALS):
            try:
                if self._renew() is False:
                    return
            except ApiError as error:
                _log.warning("the %s is not renewed: %s", self._what, error)
