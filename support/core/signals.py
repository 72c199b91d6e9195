"""Keeps Ctrl-C from leaving things half done."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def undisturbed(notify: Callable[[], None]) -> Iterator[None]:
    """Let SIGINT and SIGTERM only `notify`, for what has to be brought to its end; the sender of the first one waits for that."""
    if threading.current_thread() is not threading.main_thread():  # which alone is interrupted
        yield
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: notify()) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def ctrl_c() -> Iterator[Callable[[], None]]:
    """Lend what interrupts this process as Ctrl-C does, also where it was started with that ignored (as a shell's `&` does)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield lambda: signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
