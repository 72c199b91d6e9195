"""What it costs that a release keeps its data: the release "gateway" beside "unprotected", on one cluster, in turns.

`python -m tests.live.cluster.costs [--starts 7] [--requests 400]` prints medians and their ratios: how long an empty release
takes until it is ready again after its pod is deleted, how long one write and one query take, and the bytes on the claim of each
record. It ends with 1 where a bound is passed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from support.core.component import COLLECTIONS
from support.core.wait import wait_for
from support.deploy.ways_in import POD
from support.kube.containers import is_ready
from tests.live.cluster.site import Site, booted
from tests.live.cluster.user import User

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT, PLAIN = "gateway", "unprotected"
NAMESPACES: Final = {KEPT: "chroma", PLAIN: "chroma-plain"}
# Seconds that a start may take longer, and the share by which a median may grow.
LATER, SLACK = 0.5, 0.05
DIMENSION, RECORDS, BATCH = 384, 5000, 500
PATIENCE: Final = 120.0


@dataclass
class Deployed(User):
    """A user of a release, and its operator."""

    release: str = KEPT

    @classmethod
    def of(cls, site: Site, release: str) -> Deployed:
        """Return those of one of the two releases."""
        return cls(site, NAMESPACES[release], release)

    def restart(self) -> float:
        """Delete the pod, and return the seconds until its successor is ready."""
        before = self._pod()["metadata"]["uid"]
        began = time.monotonic()
        self.kube.delete("Pod", POD, self.namespace, grace=0)
        wait_for(
            lambda: self._pod()["metadata"]["uid"] != before and is_ready(self._pod()),
            PATIENCE,
            lambda: "no pod",
            (LookupError,),
        )
        return time.monotonic() - began

    def _pod(self) -> Any:
        if pod := self.kube.get("Pod", POD, self.namespace):
            return pod
        raise LookupError(POD)

    def collect(self) -> None:
        """Make the collection that is written to and asked, once the ingress has taken notice of the last pod."""

        def made() -> str:
            return str(self.ask("POST", COLLECTIONS, {"name": "costs", "get_or_create": True})["id"])

        self._path = (
            f"{COLLECTIONS}/{wait_for(made, PATIENCE, lambda: 'the ingress leads nowhere', (RuntimeError,))}"
        )

    def write(self, number: int, count: int = 1) -> None:
        """Add so many records."""
        ids = [f"{number}-{one}" for one in range(count)]
        self.ask(
            "POST",
            f"{self._path}/add",
            {"ids": ids, "embeddings": [vector(number + one) for one in range(count)], "documents": ids},
        )

    def query(self, number: int) -> None:
        """Ask for the nearest ten."""
        self.ask("POST", f"{self._path}/query", {"query_embeddings": [vector(number)], "n_results": 10})

    def used(self, reports: Path) -> int:
        """Return the bytes on the claim."""
        _, said = self.site.ask(
            self.site.kubeconfig,
            reports,
            "--namespace",
            self.namespace,
            "--release",
            self.release,
            "--status",
            "json",
        )
        return int(json.loads(said[said.index("{") : said.rindex("}") + 1])["vitals"]["claim"]["used"])


def vector(number: int) -> list[float]:
    """Return a vector that is no other's, as cheaply as may be."""
    return [((number * 31 + place * 7) % 997) / 997 for place in range(DIMENSION)]


def timed(act: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def compared(what: str, unit: str, seconds: dict[str, list[float]]) -> tuple[float, float]:
    """Print the medians of both and their ratio; return the medians, of what is kept first."""
    kept, plain = (statistics.median(seconds[release]) for release in (KEPT, PLAIN))
    print(
        f"{what}: {kept:.4g} {unit} after {plain:.4g} {unit} ({kept / plain - 1:+.1%}), {len(seconds[KEPT])} in turns",
        flush=True,
    )
    return kept, plain


def costs(site: Site, starts: int, requests: int, reports: Path) -> list[str]:
    """Measure both releases in turns; return which bounds were passed."""
    wrong = []
    both = [Deployed.of(site, release) for release in NAMESPACES]
    seconds: dict[str, dict[str, list[float]]] = {
        what: {KEPT: [], PLAIN: []} for what in ("start", "write", "query")
    }
    with ExitStack() as stack:
        for one in both:
            stack.enter_context(one.finding_the_host())
        for _ in range(starts):
            for one in both:
                seconds["start"][one.release].append(one.restart())
        kept, plain = compared("an empty release is ready again", "s", seconds["start"])
        wrong += [f"a start takes {kept - plain:.2f} s longer, and may {LATER} s"] * (kept > plain + LATER)
        for one in both:
            one.collect()
            one.write(0)
        for number in range(1, requests + 1):
            for one in both if number % 2 else reversed(both):
                seconds["write"][one.release].append(1000 * timed(lambda: one.write(number)))  # noqa: B023 - called at once
                seconds["query"][one.release].append(1000 * timed(lambda: one.query(number)))  # noqa: B023 - likewise
        for what in ("write", "query"):
            kept, plain = compared(f"a {what}", "ms", seconds[what])
            wrong += [f"a {what} takes {kept / plain - 1:.1%} longer, and may {SLACK:.0%}"] * (
                kept > plain * (1 + SLACK)
            )
        for one in both:
            before = one.used(reports)
            for number in range(10_000, 10_000 + RECORDS, BATCH):
                one.write(number, BATCH)
            print(
                f"a record of {DIMENSION} dimensions on the claim of {one.release}: {(one.used(reports) - before) / RECORDS:.0f} bytes",
                flush=True,
            )
    return wrong


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--requests", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, booted(Path(directory), "chroma:1.5.9") as site:
        for release, namespace in NAMESPACES.items():
            code, said = site.ask(
                *(site.kubeconfig, Path(directory), "--apply", "--release", release, "--namespace", namespace)
            )
            assert code == 0, said
        wrong = costs(site, given.starts, given.requests, Path(directory))
    print("\n".join(wrong) or "within its bounds")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(_main())
