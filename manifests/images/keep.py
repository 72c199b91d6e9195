"""Looks at the volume, mends what is torn, puts a keeper beside Chroma, and becomes Chroma."""  # noqa: INP001 - a file of an image

import os
import subprocess
import sys

# The interpreter runs isolated, without a site directory.
sys.path.insert(0, "/opt/chroma")

from support.persistence.keeper import handed
from support.persistence.start import look

# Given up: collections by their names, with commas between them.
accepted = filter(None, os.environ.get("ACCEPT_LOSS_OF", "").split(","))
awaited = look("/data", [name.strip() for name in accepted])
if awaited is None:
    sys.exit(1)
python = [sys.executable, "-I", "-S", "-B"]
port = os.environ.get("CHROMA_PORT", "8000")
keeper = subprocess.Popen([*python, "/opt/chroma/stand_by.py", port], stdin=subprocess.PIPE, text=True)
assert keeper.stdin
keeper.stdin.write(handed(awaited))
keeper.stdin.close()
os.execv(python[0], [*python, "/opt/chroma/run.py", *sys.argv[1:]])  # noqa: S606 - no shell is wanted
