"""A real shell of this machine: its file, its libraries, and where its loader looks for them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from cluster.build.distribution import merged
from cluster.build.elf import Elf


def machine_library(name: str) -> Path:
    """Give a library of this machine, as its loader finds it."""
    said = subprocess.run(
        ["ldd", shutil.which("bash") or ""], check=True, capture_output=True, text=True
    ).stdout
    path = next(
        word for line in said.splitlines() if name in line for word in line.split() if word[:1] == "/"
    )
    return Path(path).resolve()


SHELL = Path(shutil.which("bash") or "/bin/bash").resolve()
LOADER = Elf.read(SHELL.read_bytes())
assert LOADER
assert LOADER.interpreter
INTERPRETER = LOADER.interpreter
# Below /usr, where this machine's loader looks without being told.
LIBS = merged(str(machine_library("libc.so.6").parent)).removeprefix("/usr/")
TERMINAL = next(one for one in LOADER.needed if "tinfo" in one or "readline" in one or one != "libc.so.6")
