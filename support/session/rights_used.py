"""What a run asked of its cluster, held against the rights that its mode grants, where the cluster has an audit log."""

from __future__ import annotations

import json
import os
from functools import partial
from typing import TYPE_CHECKING, Final

from support.platform import audit, rights
from support.platform.inventory import values_of

if TYPE_CHECKING:
    from pathlib import Path

    from support.session.run import Run

FILE: Final = "rights.json"


def write(run: Run, log: Path, directory: Path) -> None:
    """Write into the reports what was asked beyond the run's rights, which of them nothing needed, and what was written elsewhere.

    Raises `OSError` where either file cannot be had.
    """
    asked = rights.Asked(run.rights_mode, run.options.namespace)
    granted = rights.needed(asked, values_of(run.options.inventory, os.environ))
    used = list(audit.uses(log, rights.user(run.rights_mode)))
    found = {
        "mode": run.rights_mode,
        "requests": len(used),
        "beyond": sorted(map(str, audit.beyond(granted, used))),
        "refused": sorted({str(one) for one in used if one.refused}),
        "unused": sorted(map(str, audit.unused(granted, used))),
        "elsewhere": sorted(map(str, audit.intrusions(used, partial(rights.is_own, run.options.namespace)))),
    }
    directory.mkdir(parents=True, exist_ok=True)
    (directory / FILE).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
