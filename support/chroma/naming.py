"""Names of databases that runs make: by its name alone it is known whose one is, and whether that run can still live."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import dataclass
from typing import Any, Final

from support.core.process import is_running, machine, this_process

# Seconds, by the release's own clock, after which a database is nobody's any more whose process cannot be looked for. None is
# used for so long: those of scenarios last for minutes, and a pool changes its own before.
OLD: Final = 3600.0
# The run, when it was made (seconds since 1970, by the release's clock), its machine and its process there; what tells it from
# others of that process; and a sum of all that, so that no name of somebody else is taken for one of these.
_NAME: Final = re.compile(
    r"(?P<stem>conformance-(?P<run>[0-9a-f]{8})-(?P<made>[0-9a-f]{8})-(?P<machine>[0-9a-f]{8})-(?P<pid>[0-9a-f]+)-"
    r"(?P<started>[0-9a-f]+)-[0-9a-f]{8})-(?P<sum>[0-9a-f]{8})"
)

# Stands for a machine that tells nothing of itself.
_UNTOLD: Final = "0" * 8


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


# Of a Chroma that deletes no database: what all runs share, and what holds a collection for each that uses it, whose
# metadata has a name as above under `OWNER`. The sums keep both from being somebody else's.
SHARED: Final = f"conformance-shared-{_sum('conformance-shared')}"
MARKS: Final = f"conformance-marks-{_sum('conformance-marks')}"
OWNER: Final = "owner"


@dataclass(frozen=True)
class Owner:
    """Whose a database is: the run, when it was made, and the process that made it."""

    run_id: str
    made: float
    machine: str
    pid: int
    started: str

    def is_dead(self, now: float) -> bool:
        """Whether nobody needs it any more, at this time of the release's clock.

        Of a process of this very machine that is seen at once, whatever its age; of others once it is old.
        """
        if self.machine == _this_machine() != _UNTOLD:
            return is_running({**machine(), "pid": self.pid, "started": self.started}) is False
        return now - self.made > OLD


def name_of(run_id: str, made: float) -> str:
    """Return a name for a database that this process makes for a run, at a time of the release's clock."""
    process: dict[str, Any] = this_process()
    facts = (
        run_id,
        f"{int(made):08x}",
        _this_machine(),
        f"{process.get('pid', 0):x}",
        f"{int(process.get('started', 0)):x}",
        uuid.uuid4().hex[:8],
    )
    stem = "-".join(("conformance", *facts))
    return f"{stem}-{_sum(stem)}"


def owner_of(name: str) -> Owner | None:
    """Return whose a database is; None where its name is not one of these."""
    found = _NAME.fullmatch(name)
    if not found or found["sum"] != _sum(found["stem"]):
        return None
    return Owner(
        found["run"],
        float(int(found["made"], 16)),
        found["machine"],
        int(found["pid"], 16),
        str(int(found["started"], 16)),
    )


def _this_machine() -> str:
    try:
        return _sum(json.dumps(machine()))
    except OSError:
        return _UNTOLD
