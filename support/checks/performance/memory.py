"""Reads how much memory Chroma holds, as the control group of its container counts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.deploy.reading import readings
from support.deploy.ways_in import POD

if TYPE_CHECKING:
    from support.deploy.live import Live

# Where a container sees its own control group, of version 2 and of version 1, and the word for the memory that its
# processes hold: without the files that the kernel keeps for them, as it takes those back when it needs room.
_STATISTICS: Final = {"/sys/fs/cgroup/memory.stat": "anon", "/sys/fs/cgroup/memory/memory.stat": "total_rss"}
_PRINT: Final = """
import sys
for file in sys.argv[1:]:
    try:
        print(open(file).read())
    except OSError:
        pass
"""
# What an image may have to read a file with: the official one has the first, those of the embedded cluster the last. The
# kubelet would be asked first, but tells of no memory where it counts by version 1 (measured).
_READERS: Final = (("cat",), ("python3", "-c", _PRINT), ("python3.11", "-c", _PRINT))


def resident(live: Live) -> int:
    """Return the bytes that the processes of Chroma's container hold.

    Raises a LookupError, which holds what was said, where nothing in the container can read them.
    """
    complaints = []
    for said in readings(live, ((*reader, *_STATISTICS) for reader in _READERS)):
        counts = dict(line.split(maxsplit=1) for line in said.splitlines() if " " in line)
        for word in _STATISTICS.values():
            if counts.get(word, "").isdigit():
                return int(counts[word])
        complaints.append(said.strip())
    where = f"{live.namespace}/{POD}"
    raise LookupError(f"the memory of {where} cannot be read in its container: {'; '.join(complaints)}")
