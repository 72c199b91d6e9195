"""A program of its own that kills a server while it writes its index for the so-manieth time: in one with the writers it would miss.

Called with the directory of the data, the server's process, how often the index is written before, and how many seconds
after its header has changed the kill falls.
"""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from support.persistence.hnsw import HEADER

# Seconds in which even a busy machine writes an index five times.
LONGEST = 60


def await_persists(data: Path, times: int) -> None:
    """Watch the header of the index until it has been written so often; the first writing makes it."""
    header, seen, changes, end = None, 0, 0, time.monotonic() + LONGEST
    while changes < times:
        if time.monotonic() > end:
            sys.exit(f"the index was written {changes} times within {LONGEST} s, not {times}")
        if header is None:
            header = next(data.glob(f"*/{HEADER}"), None)
            continue
        with suppress(FileNotFoundError):
            at = header.stat().st_mtime_ns
            changes, seen = changes + (seen not in {at, 0}), at


def main(data: str, process: str, times: str, seconds: str) -> None:
    """See the module."""
    try:
        await_persists(Path(data), int(times))
        # A moment within the writing, not a wait for anything: where it falls decides what is torn.
        threading.Event().wait(float(seconds))
    finally:
        os.kill(int(process), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
