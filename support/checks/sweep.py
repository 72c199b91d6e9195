"""Other runs on the same cluster, which live or are killed, and what they have there."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from support.core.component import TENANT, TOKEN_HEADER
from support.core.promises import PromiseBroken
from support.core.wait import Deadlines, wait_for
from support.deploy.marks import KIND, Mark
from support.kube import probe
from support.kube.client import Kube
from support.kube.labels import ownership
from support.kube.objects import key
from support.network import http
from support.network.way import ingress

if TYPE_CHECKING:
    from types import TracebackType

    from support.deploy.live import Live
    from support.deploy.sweep import Swept
    from support.kube.objects import Objects

_ROOT: Final = Path(__file__).parents[2]
_DATABASES: Final = f"/api/v2/tenants/{TENANT}/databases"


@dataclass
class OtherRun:
    """A run in a process of its own, with a mark; a context manager, after which nothing of it is left."""

    live: Live
    deadlines: Deadlines
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    made: Objects = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        inventory = self.live.inventory
        arguments = [
            str(inventory.kubeconfig),
            inventory.context or "",
            inventory.certificate_namespace,
            self.id,
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "support.checks.sweep", *arguments],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "marked\n", "the other run could not mark itself"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process:
            with self.process:
                self.process.kill()
        kube = self.live.kube
        kube.delete(KIND, f"chroma-conformance-run-{self.id}", self.live.inventory.certificate_namespace)
        for obj in reversed(self.made):
            if kube.get(*key(obj), obj["metadata"].get("namespace")):
                kube.patch(*key(obj), obj["metadata"].get("namespace"), {"metadata": {"finalizers": None}})
                kube.delete(*key(obj), obj["metadata"].get("namespace"))

    def settle(self) -> None:
        """Make what a run in the middle of its work has: a namespace, something held in it, and something beside the release."""
        labels, home = ownership(self.id), f"chroma-{self.id}-1"
        kube = self.live.kube
        self.made = [kube.apply(probe.namespace(home, self.id))]
        for place, finalizers in (
            (home, ["chroma-conformance/nobody-sees-to-this"]),
            (self.live.namespace, []),
        ):
            metadata = {
                "name": f"of-{self.id}",
                "namespace": place,
                "labels": labels,
                "finalizers": finalizers,
            }
            self.made.append(kube.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}))

    def settle_in_release(self) -> None:
        """Make what a run keeps in a release while a scenario lasts: a database with a collection."""
        self._ask("POST", "", {"name": self.database})
        self._ask("POST", f"/{self.database}/collections", {"name": "field-notes"})

    @property
    def database(self) -> str:
        """The name of its database."""
        return f"conformance-{self.id}-{self.id}"

    def die(self) -> None:
        """Be killed, as a runner is that is evicted."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def assert_gone(self) -> None:
        """Assert that nothing of it is left on the cluster, or stays."""
        wait_for(
            lambda: not self._there(),
            self.deadlines.gone,
            lambda: f"still there: {self._names(self._there())}",
        )

    def assert_there(self) -> None:
        """Assert that all of it is there."""
        there = self._names(self._there())
        if there != self._names(self.made):
            raise PromiseBroken(self._names(self.made), there)

    def assert_database_gone(self) -> None:
        """Assert that its database is gone."""
        status = self._ask("GET", f"/{self.database}").status
        if status != 404:
            raise PromiseBroken(f"no database {self.database}", status)

    def assert_reported(self, swept: Swept) -> None:
        """Assert that a line says what was removed, and whose it was."""
        text = "\n".join(swept.lines())
        names = [obj["metadata"]["name"] for obj in self.made]
        missing = [name for name in (self.id, *names) if name not in text]
        if missing:
            raise PromiseBroken(f"a line that names {', '.join(missing)}", text or "nothing")

    def _there(self) -> Objects:
        kube = self.live.kube
        found = [kube.get(*key(obj), obj["metadata"].get("namespace")) for obj in self.made]
        return [obj for obj in found if obj and "deletionTimestamp" not in obj["metadata"]]

    @staticmethod
    def _names(objects: Objects) -> list[str]:
        return [" ".join(key(obj)) for obj in objects]

    def _ask(self, method: str, tail: str, body: dict[str, str] | None = None) -> http.Response:
        shown = [(TOKEN_HEADER, self.live.token.get_secret_value())]
        return http.ask(
            ingress(self.live.host, self.live.inventory), method, f"{_DATABASES}{tail}", shown, body
        )


def main() -> None:
    """Be a run that marks itself until its standard input ends."""
    kubeconfig, context, namespace, run_id = sys.argv[1:]
    with Mark(Kube(Path(kubeconfig), context or None), namespace, run_id, Deadlines()):
        sys.stdout.write("marked\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
