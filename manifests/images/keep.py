"""Looks at the volume, mends what is torn, and becomes Chroma."""  # noqa: INP001 - a file of an image

import os
import sys

# The interpreter runs isolated, without a site directory.
sys.path.insert(0, "/opt/chroma")

from support.persistence.start import look

# Given up: collections by their names, with commas between them.
accepted = filter(None, os.environ.get("ACCEPT_LOSS_OF", "").split(","))
if code := look("/data", [name.strip() for name in accepted]):
    sys.exit(code)
python = sys.executable
os.execv(python, [python, "-I", "-S", "-B", "/opt/chroma/run.py", *sys.argv[1:]])  # noqa: S606 - no shell is wanted
