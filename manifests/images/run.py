"""Hands the arguments to Chroma's command line, which lives in its native library."""  # noqa: INP001 - a file of an image

import sys

# The interpreter runs isolated, without a site directory.
sys.path.insert(0, "/opt/chroma")

from chromadb_rust_bindings import cli

cli(["chroma", *sys.argv[1:]])
