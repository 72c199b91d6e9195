"""Ends the workers of xdist so that they clean up after themselves."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any

import pytest

from support.core.wait import Timeout, kept, wait_for


class Workers:
    """The workers of a run, as its controlling process knows them; a plugin."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Note a worker that is about to start."""
        self._nodes.append(node)

    def pytest_keyboard_interrupt(self) -> None:
        """Ask workers to end as by Ctrl-C, and wait until they have cleaned up.

        xdist itself would cut their connection, and interrupt them once more while they clean up.
        """
        running = [node for node in self._nodes if not _has_ended(node)]
        for node in running:
            with suppress(ProcessLookupError):
                os.kill(node.gateway._rinfo().pid, signal.SIGTERM)  # noqa: SLF001 - execnet tells it nowhere else
        # A worker that does not make it is ended by xdist; what it leaves behind the next run sweeps (support/deploy/sweep.py).
        with suppress(Timeout):
            wait_for(
                lambda: all(map(_has_ended, running)) or None,
                kept().farewell,
                lambda: "workers have not ended",
            )


def _has_ended(node: Any) -> bool:
    """Whether a worker has sent its last word, or its connection is gone."""
    # The channel of a worker that was killed stays open: it says only that nothing comes from it any more.
    return hasattr(node, "workeroutput") or node.channel.isclosed() or not node.gateway.hasreceiver()
