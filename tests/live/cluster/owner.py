"""A process that owns a cluster: makes it, tells each step on stdout, and keeps it until stdin ends."""

from __future__ import annotations

import sys
from pathlib import Path

from cluster.provider import provider_for
from tests.live.cluster.place import STRETCH


def tell(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Own a cluster."""
    provider = provider_for(
        "embedded", kubeconfig=None, context=None, recipes=Path(sys.argv[1]), progress=tell, patience=STRETCH
    )
    provider.create()
    tell("up")
    sys.stdin.read()
    provider.delete()


if __name__ == "__main__":
    main()
