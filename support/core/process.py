"""Tells whether a process runs, of which a note was taken: by its id, its start, and the machine that it is on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def this_process() -> dict[str, Any]:
    """Return by what this process is found again on this machine; nothing where the machine does not tell."""
    try:
        return {**machine(), "pid": os.getpid(), "started": started(os.getpid())}
    except OSError:
        return {}


def is_running(process: Any) -> bool | None:
    """Say whether a process runs; None where that cannot be seen from here, since it is another machine's."""
    try:
        here = machine()
    except OSError:
        return None
    if not isinstance(process, dict) or any(process.get(name) != value for name, value in here.items()):
        return None
    try:
        return bool(started(process["pid"]) == process["started"])
    except OSError:
        return False


def machine() -> dict[str, str]:
    """Return what tells this machine, since it was booted, and this view of its processes from all others; `OSError`."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return {"boot": boot, "processes": str(Path("/proc/self/ns/pid").readlink())}


def started(pid: int) -> str:
    """Return when a process was started, in ticks since the boot; OSError when it has ended."""
    facts = (
        Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
    )
    if facts[0] == "Z":
        raise ProcessLookupError(pid)
    return facts[19]
