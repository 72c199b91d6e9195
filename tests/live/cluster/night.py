"""A night on a release that people use: they read and write all the time while it is verified again and again.

`python -m tests.live.cluster.night [--runs 3] [--kubeconfig FILE --inventory FILE]` prints what came of it, and ends with 1
where a user noticed. Without a cluster it boots one, and deploys the release there.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.core.component import COLLECTIONS
from support.core.restraint import VERIFYING
from support.platform import rights
from tests.live.cluster.site import Site, deployed
from tests.live.cluster.user import User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.kube.client import Kube

NAMESPACE = "chroma"
# Seconds between two requests of a user, and for which they are watched before anything else happens.
PACE, BEFORE = 0.05, 60.0
# What a run that verifies keeps to by itself, and tests do not.
BUSY = f"busy={VERIFYING['busy']:g}"
# Seconds that a run may take on a busy machine.
LONGEST = 3600.0
# What users keep, and the share by which the 95th percentile of their answers may grow.
RECORDS, SLACK = 100, 0.20


@dataclass
class Users(User):
    """Somebody who reads and writes every 50 ms through the ingress, and takes down each answer."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._over = threading.Event()
        self._name = "belongs-to-users"

    @contextmanager
    def at_work(self) -> Iterator[Users]:
        """Let them work in a `with` block."""
        with self.finding_the_host():
            made = self.ask("POST", COLLECTIONS, {"name": self._name, "get_or_create": True})
            self._path = f"{COLLECTIONS}/{made['id']}"
            ids = [f"record-{number}" for number in range(RECORDS)]
            vectors = [[float(number), 1.0] for number in range(RECORDS)]
            self.ask("POST", f"{self._path}/upsert", {"ids": ids, "embeddings": vectors, "documents": ids})
            thread = threading.Thread(target=self._work, daemon=True)
            thread.start()
            try:
                yield self
            finally:
                self._over.set()
                thread.join()

    def records(self) -> Any:
        """Return all that their collection holds, in the order of the ids."""
        found = self.ask("POST", f"{self._path}/get", {"include": ["embeddings", "documents", "metadatas"]})
        columns = ("ids", "embeddings", "documents", "metadatas")
        return sorted(zip(*(found[name] or [None] * len(found["ids"]) for name in columns), strict=True))

    def databases(self) -> list[str]:
        """Return the names of the databases that the release has."""
        tenant = COLLECTIONS.partition("/databases/")[0]
        return sorted(one["name"] for one in self.ask("GET", f"{tenant}/databases"))

    def _work(self) -> None:
        number = 0
        while not self._over.wait(PACE):
            number += 1
            began = time.monotonic()
            try:
                if number % 2:
                    asked = {"query_embeddings": [[float(number % RECORDS), 1.0]], "n_results": 3}
                    self.ask("POST", f"{self._path}/query", asked)
                else:
                    name = f"record-{number % RECORDS}"
                    same = {
                        "ids": [name],
                        "embeddings": [[float(number % RECORDS), 1.0]],
                        "documents": [name],
                    }
                    self.ask("POST", f"{self._path}/upsert", same)
            except Exception as error:  # noqa: BLE001 - whatever it is, a user has noticed
                self.errors.append(f"{time.strftime('%X')} {type(error).__name__}: {error}")
            self.seconds.append(time.monotonic() - began)


def state(kube: Kube, namespace: str = NAMESPACE) -> dict[str, str]:
    """Return the resourceVersion of every object in the namespace of a release, and of the namespace itself."""
    found = kube.everything(namespace).objects
    around: Any = kube.get("Namespace", namespace)
    return {
        f"{one['kind']} {one['metadata']['name']}": one["metadata"]["resourceVersion"]
        for one in (*found, {**around, "kind": "Namespace"})
    }


def left(kube: Kube) -> list[str]:
    """Return the throw-away namespaces that are there and are not on their way out; that of the suite's account is none."""
    return [
        one["metadata"]["name"]
        for one in kube.list("Namespace")
        if one["metadata"]["name"].startswith(f"{NAMESPACE}-")
        and one["metadata"]["name"] != rights.HOME
        and "deletionTimestamp" not in one["metadata"]
    ]


def percentile(seconds: list[float]) -> float:
    """Return the 95th percentile in milliseconds."""
    return statistics.quantiles(seconds, n=20)[-1] * 1000


def night(site: Site, runs: int, reports: Path, *options: str) -> list[str]:
    """Verify a release so often under its users; print what they saw, and return what is not as it should be."""
    wrong = []
    users = Users(site)
    with users.at_work():
        threading.Event().wait(BEFORE)
        calm, before, held = percentile(users.seconds), state(users.kube), users.records()
        databases, asked = users.databases(), len(users.seconds)
        print(f"before: {asked} requests of users, 95th percentile {calm:.1f} ms, {len(users.errors)} errors")
        for number in range(1, runs + 1):
            since, began = len(users.seconds), time.monotonic()
            code, said = site.ask(
                site.kubeconfig, reports, "--verify", "--budget", BUSY, *options, patience=LONGEST
            )
            busy = percentile(users.seconds[since:])
            last = [line for line in said.splitlines() if line.startswith(("to the ", "core:", "extended:"))]
            print(
                f"run {number}: ended with {code} after {time.monotonic() - began:.0f} s; {'; '.join(last)}"
            )
            print(
                f"  users: {len(users.seconds) - since} requests, 95th percentile {busy:.1f} ms, {len(users.errors)} errors"
            )
            if code:
                wrong.append(f"run {number} ended with {code}:\n{said[-3000:]}")
            if busy > calm * (1 + SLACK):
                wrong.append(f"run {number}: the 95th percentile is {busy:.1f} ms instead of {calm:.1f} ms")
        after = state(users.kube)
        changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
        wrong += [f"users saw: {error}" for error in users.errors]
        wrong += [f"changed: {name}: {before.get(name)} -> {after.get(name)}" for name in changed]
        wrong += ["their records are not as they were"] * (users.records() != held)
        wrong += [f"left: database {one}" for one in users.databases() if one not in databases]
        wrong += [f"left: namespace {one}" for one in left(users.kube)]
        print(f"objects of the release's namespace: {len(before)}, changed: {len(changed)}")
    return wrong


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--kubeconfig", type=Path)
    parser.add_argument("--inventory", type=Path)
    given, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as directory:
        if given.kubeconfig:
            environ = {name: value for name, value in os.environ.items() if name != "ADMIN_PASSWORD"}
            wrong = night(
                Site(given.kubeconfig, given.inventory, environ), given.runs, Path(directory), *options
            )
        else:
            with deployed(Path(directory)) as site:
                wrong = night(site, given.runs, Path(directory), *options)
    print("\n".join(wrong) or "nobody noticed anything")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(_main())
