"""Stands beside Chroma, which listens at the port that is given; standard input says what has to answer."""  # noqa: INP001 - a file of an image

import sys
from pathlib import Path

# The interpreter runs isolated, without a site directory.
sys.path.insert(0, "/opt/chroma")

from support.persistence.keeper import keep, taken

keep(Path("/data"), int(sys.argv[1]), taken(sys.stdin.read()))
