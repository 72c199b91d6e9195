"""A cluster of Chroma's images, and the suite as a user calls it there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import yaml

from cluster.provider import provider_for
from tests.live.cluster.commands import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# The options under which a run is bounded.
_RESTRAINED: Final = {"--verify", "--read-only", "--target"}


@dataclass(frozen=True)
class Site:
    """A cluster, and how it is named on the command line."""

    kubeconfig: Path
    inventory: Path
    environ: dict[str, str]

    def command(self, kubeconfig: Path, reports: Path, *options: str) -> list[str]:
        """Return how a user calls the suite; without a path among the options for all features."""
        given = {"--kubeconfig": str(kubeconfig), "--inventory": str(self.inventory)}
        named = [word for name, value in given.items() if name not in options for word in (name, value)]
        features = (
            []
            if any(option.startswith("features/") or option.endswith(".feature") for option in options)
            else ["features/"]
        )
        # Nobody uses the release of a test, which may therefore be busy all the time.
        at_will = ("--budget", "busy=100") if _RESTRAINED.intersection(options) else ()
        return [
            *(sys.executable, "-m", "pytest", *features, "-p", "no:cacheprovider"),
            *("--report-dir", str(reports), *named, *at_will, *options),
        ]

    def ask(
        self,
        kubeconfig: Path,
        reports: Path,
        *options: str,
        before: Callable[[], None] | None = None,
        patience: float = 400,
    ) -> tuple[int, str]:
        """Call the suite as a user does, and return its exit code and all that it says; `before` runs in its process."""
        done = subprocess.run(
            self.command(kubeconfig, reports, *options),
            cwd=CHECKOUT,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=patience,
            preexec_fn=before,
        )
        return done.returncode, done.stdout + done.stderr

    def with_token(self, token: str) -> Site:
        """Return the same cluster for a user whose environment holds another token."""
        return replace(self, environ={**self.environ, "ADMIN_PASSWORD": token})

    def without_token(self) -> Site:
        """Return the same cluster for a user whose environment holds none."""
        environ = {name: value for name, value in self.environ.items() if name != "ADMIN_PASSWORD"}
        return replace(self, environ=environ)

    @contextmanager
    def begun(self, reports: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
        """Call the suite as a user does, and let it go on in a `with` block; it ends with the block."""
        with subprocess.Popen(
            self.command(self.kubeconfig, reports, *options),
            cwd=CHECKOUT,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGCONT)
                process.terminate()


@contextmanager
def deployed(directory: Path) -> Iterator[Site]:
    """Boot a cluster as `booted` does, with a live release on it."""
    with booted(directory) as site:
        code, said = site.ask(site.kubeconfig, directory, "--apply")
        assert code == 0, said
        yield site


@contextmanager
def booted(directory: Path, *images: str) -> Iterator[Site]:
    """Boot a cluster of Chroma's images for a `with` block; what the platform gives is written to the directory.

    `images` are those that are made on request only.
    """
    recipes = CHECKOUT / "manifests" / "images"
    provider = provider_for(
        "embedded", kubeconfig=None, context=None, recipes=recipes, progress=lambda _: None, images=images
    )
    try:
        access = provider.create()
        inventory = directory / "inventory.yaml"
        inventory.write_text(yaml.safe_dump({name: str(value) for name, value in access.inventory.items()}))
        environ = {**os.environ, "ADMIN_PASSWORD": "Sesame-0123456789abcdef"}
        yield Site(access.kubeconfig, inventory, environ)
    finally:
        provider.delete()
