"""Builds images in a process beside the build of the programs, which leaves cores idle while it fetches and links."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.build.cache import Store, default_root
from cluster.build.images import ensure_images
from cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_CHECKOUT = Path(__file__).resolve().parents[2]


@contextmanager
def images_ahead(recipes: Iterable[Path], asked: Collection[str]) -> Iterator[None]:
    """Build images of recipes while the block runs, as far as they need no program of ours; waits for the last one.

    `asked` are images that are made on request. What fails here fails again where the image is wanted, and is told there.
    """
    order = json.dumps([[str(recipe.resolve()) for recipe in recipes], sorted(asked)])
    process = subprocess.Popen(
        [sys.executable, "-m", "cluster.build.ahead", order],
        env={**os.environ, "PYTHONPATH": str(_CHECKOUT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
        process.wait()
    finally:
        process.terminate()  # does nothing to one that has ended
        process.wait()


def main() -> int:
    """Build the images of an order."""
    recipes, asked = json.loads(sys.argv[1])
    store = Store(default_root().resolve())
    for recipe in recipes:
        # Among the reasons is that it needs a program, which is not there yet.
        with suppress(ClusterError):
            ensure_images(store, [Path(recipe)], {}, asked)
    return 0


if __name__ == "__main__":
    sys.exit(main())
