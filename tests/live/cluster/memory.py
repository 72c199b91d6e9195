"""How much memory processes hold together."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# The first line of a mapping in /proc/PID/smaps: range, rights, offset, device, inode, perhaps a name.
_HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) (\S+) (\d+)\s*")
_FIELD = re.compile(r"(Rss|Anonymous):\s+(\d+) kB")


def held_by(processes: Iterable[int]) -> int:
    """Give the bytes that processes hold together, at most: their own pages, and each page of a file once.

    Not the sum of what the kernel calls PSS: that is less the more clusters share the machine, since all of
    them map the same programs. A stretch of a file that several processes map counts with the sum of what
    each has of it in memory, but with no more than its length.
    """
    own = 0
    stretches: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0])
    for pid in processes:
        current: tuple[str, ...] = ()
        resident = 0
        for line in Path(f"/proc/{pid}/smaps").read_text(errors="replace").splitlines():
            if head := _HEAD.match(line):
                start, end, offset, device, inode = head.groups()
                current = (device, inode, offset)
                stretches[current][1] = max(stretches[current][1], int(end, 16) - int(start, 16))
            elif field := _FIELD.match(line):
                size = int(field[2]) << 10
                if field[1] == "Rss":
                    resident = size
                else:
                    own += size
                    stretches[current][0] += resident - size
    return own + sum(min(resident, length) for resident, length in stretches.values())
