"""Interrupts backups, restores, upgrades and roll backs at random moments, and looks whether the data is there and the words are true.

On a cluster that is there already: python -m bench.interrupted --kubeconfig FILE --inventory FILE. It works in the namespace
`chroma`, whose data it makes and removes; it ends with 0 when no run has lost a record or told what is not so.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import cycle, islice, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from support.backup.archive import ArchiveError, verified
from support.backup.backup import BackupRunner
from support.core.component import TOKEN_HEADER
from support.core.resolver import map_host
from support.core.wait import Deadlines, wait_for
from support.deploy.namespace import Namespace
from support.deploy.site import Site
from support.deploy.status import observe
from support.kube.client import Kube
from support.network import http
from support.network.way import ingress
from support.platform.inventory import Inventory
from support.release.catalogue import load
from support.release.place import Place

ROOT: Final = Path(__file__).parent.parent
RECORDS: Final = 200
COLLECTION: Final = "field-notes"
_COLLECTIONS: Final = "/api/v2/tenants/default_tenant/databases/default_database/collections"
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
APPLY: Final = ("features/deployment.feature", "--scenario", "Applying a live release again changes nothing")
# Another tag of the same image: the pod is replaced, and its data has to be found again.
UPGRADE: Final = """
title: Another tag of the same image
why: An upgrade replaces the pod.
patches:
  - kind: StatefulSet
    name: chroma
    json:
      - {op: replace, path: /spec/template/spec/containers/0/image, value: IMAGE}
caught_by:
  feature: deployment
  scenario: Applying a live release again changes nothing
  message: nothing is caught
"""


@dataclass(frozen=True)
class Outcome:
    """What came of one run: `wrong` names what was lost, or told and not so."""

    act: str
    with_signal: str
    second: float
    code: int
    told: str
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        result = "; ".join(self.wrong) or f"{RECORDS} records"
        return f"{self.act:9} {self.with_signal:8} {self.second:6.1f} s  exit {self.code:4}  {result:24} {self.told}"


class Stage:
    """The release in the namespace `chroma`, and the commands that are interrupted."""

    def __init__(self, arguments: argparse.Namespace, folder: Path, password: str) -> None:
        given = {"kubeconfig": arguments.kubeconfig, "context": None}
        environ = {**os.environ, "ADMIN_PASSWORD": password}
        self._inventory = Inventory.load(arguments.inventory, given, environ)
        self._environ = environ
        self._folder = folder
        self._deadlines = Deadlines().scaled(arguments.patience)
        self._release = load("gateway")
        self.host = f"chroma.{self._inventory.domain_name}"
        self.address = self._inventory.ingress_address
        place = Place("chroma", self.host, announced=True)
        kube = Kube(self._inventory.kubeconfig, self._inventory.context)
        self.namespace = Namespace(Site(kube, self._inventory, place, self._deadlines, lambda _: None))
        self.whole = folder / "whole.tar"
        self._backup_runner = BackupRunner("interrupt", self._deadlines, lambda _: None)
        images = f"{self._inventory.harbor_registry}/{self._inventory.library_project}"
        fault = folder / "upgrade.yaml"
        fault.write_text(UPGRADE.replace("IMAGE", f"{images}/chroma:latest"))
        common = (
            *(f"--kubeconfig={arguments.kubeconfig}", f"--inventory={arguments.inventory}", "-q"),
            *(f"--patience={arguments.patience}", f"--report-dir={folder / 'reports'}"),
        )
        self.commands = {
            "backup": ("features/", "--backup", str(folder / "out.tar"), *common),
            "restore": ("features/", "--restore", str(self.whole), *common),
            "upgrade": (*APPLY, "--fault", str(fault), "--roll-back", "never", *common),
            "roll back": (*APPLY, "--roll-back", "always", *common),
        }

    def begin(self) -> None:
        """Make the data, and a backup of it that is whole."""
        self.namespace.roll_back(remove_data=True)
        self._apply()
        collection = self._asked("POST", _COLLECTIONS, {"name": COLLECTION})["id"]
        body = {
            "ids": [f"r{n}" for n in range(RECORDS)],
            "embeddings": [[float(n), 1.0] for n in range(RECORDS)],
        }
        self._asked("POST", f"{_COLLECTIONS}/{collection}/add", body)
        self._backup_runner.back_up(self.namespace, self._release, self.whole)

    def prepare(self, act: str) -> None:
        """Bring everything to where an act begins."""
        (self._folder / "out.tar").unlink(missing_ok=True)
        if act == "restore":
            self.namespace.roll_back(remove_data=True)
        else:
            self._apply()

    def start(self, act: str) -> subprocess.Popen[bytes]:
        """Begin an act as an operator does."""
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *self.commands[act]],
            cwd=ROOT,
            env=self._environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_until_begun(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until a command takes signals, which is before it asks the cluster anything."""
        wait_for(
            lambda: process.poll() is not None or _takes_signals(process),
            self._deadlines.live,
            lambda: "the command does not take signals",
        )

    def examine(self, act: str) -> tuple[str, tuple[str, ...]]:
        """Return what the status says after an act was interrupted, and what is wrong with the data or with that."""
        status = observe(self.namespace)
        held = {one.name: one.count for one in status.collections}
        wrong = []
        if status.live and act != "restore" and held.get(COLLECTION) != RECORDS:
            wrong.append(f"told as live with {held}")
        if not status.live and not status.why:
            wrong.append("not live, and nothing says why")
        file = self._folder / "out.tar"
        if file.exists():
            try:
                verified(file)
            except ArchiveError as error:
                wrong.append(f"a backup that is not whole: {error}")
        if act == "restore":
            verified(self.whole)
            self.namespace.roll_back(remove_data=True)
            self._backup_runner.restore(self.namespace, self._release, self.whole)
        else:
            self._apply()
        count = self.count()
        if count != RECORDS:
            wrong.append(f"{count} records of {RECORDS}")
        return "live" if status.live else f"not live: {status.why[:90]}", tuple(wrong)

    def count(self) -> int:
        """Return how many records the collection holds, once it answers a query as well."""
        collection = self._asked("GET", f"{_COLLECTIONS}/{COLLECTION}")["id"]
        nearest = self._asked(
            "POST", f"{_COLLECTIONS}/{collection}/query", {"query_embeddings": [[7.0, 1.0]], "n_results": 1}
        )
        assert nearest["ids"] == [["r7"]], nearest
        return int(self._asked("GET", f"{_COLLECTIONS}/{collection}/count"))

    def _apply(self) -> None:
        rollout = self.namespace.apply(self._release)
        assert not rollout.finding, str(rollout)

    def _asked(self, method: str, path: str, body: object = None) -> Any:
        token = self._inventory.admin_password.get_secret_value()
        headers = [(TOKEN_HEADER, token), ("Content-Type", "application/json")]
        way = ingress(self.host, self._inventory)
        response = http.ask(way, method, path, headers, json.dumps(body).encode() if body else b"")
        assert 200 <= response.status < 300, str(response)
        return response.json()


def _takes_signals(process: subprocess.Popen[bytes]) -> bool:
    """Return whether a program that has begun handles SIGTERM by now: before, it has touched nothing either."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def interrupt(
    stage: Stage, act: str, number: signal.Signals, longest: float, chance: random.Random
) -> Outcome:
    """Begin an act, send it a signal at a random moment of the `longest` seconds that it lasts, and see what is left."""
    stage.prepare(act)
    second = chance.uniform(0.0, longest)
    with stage.start(act) as process:
        stage.wait_until_begun(process)
        try:
            process.wait(second)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        code = process.wait()
    told, wrong = stage.examine(act)
    return Outcome(act, number.name, second, code, told, wrong)


def durations(stage: Stage) -> dict[str, float]:
    """Return how many seconds each act takes, from where it takes signals, when nothing interrupts it."""
    found = {}
    for act in stage.commands:
        stage.prepare(act)
        with stage.start(act) as process:
            stage.wait_until_begun(process)
            began = time.monotonic()
            process.wait()
        found[act] = time.monotonic() - began
    return found


def main() -> int:
    """Interrupt so many runs, and print a line for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kubeconfig", required=True, type=Path, help="the cluster")
    parser.add_argument("--inventory", required=True, type=Path, help="what its platform gives")
    parser.add_argument("--runs", type=int, default=20, help="how many acts are interrupted (20)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="of the random moments")
    parser.add_argument("--patience", type=float, default=1.0, help="stretches every deadline (1)")
    asked = parser.parse_args()
    # A shell starts what runs in its background with Ctrl-C ignored, and what is started here would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(f"seed {asked.seed}")
    chance = random.Random(asked.seed)  # noqa: S311 - moments, no secrets
    with TemporaryDirectory() as folder:
        stage = Stage(asked, Path(folder), os.environ.get("ADMIN_PASSWORD") or secrets.token_urlsafe(24))
        with map_host(stage.host, stage.address) if stage.address else contextlib.nullcontext():
            stage.begin()
            longest = durations(stage)
            print(", ".join(f"{act} {seconds:.0f} s" for act, seconds in longest.items()), flush=True)
            failed = 0
            for act, number in islice(cycle(product(stage.commands, SIGNALS)), asked.runs):
                outcome = interrupt(stage, act, number, longest[act], chance)
                failed += bool(outcome.wrong)
                print(outcome, flush=True)
    print(f"{asked.runs} runs interrupted, {failed} with something lost or told wrongly")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
