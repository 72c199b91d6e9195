"""How a run begins on a cluster that is not its own: it shows that it lives, holds the release, and says what it will do."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from support.core.component import AUTH_SECRET
from support.deploy.lease import HeldError, Lease
from support.deploy.marks import Mark
from support.deploy.namespace import Namespace
from support.deploy.site import Site
from support.deploy.sweep import sweep
from support.kube.client import Kube
from support.kube.errors import ApiError
from support.kube.silence import silence
from support.release.catalogue import stated_by
from support.reporting.scenario import DISRUPTIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from support.deploy.live import Live
    from support.deploy.plan import Plan
    from support.platform.inventory import Inventory
    from support.session.run import Run

# The commands that only look.
_LOOKING: Final = {"plan", "status", "notes", "history", "sweep"}


def arrive(run: Run, inventory: Inventory, progress: Callable[[str], None]) -> ExitStack:
    """Begin on a cluster, and return what ends it there; what dead runs have left is removed.

    Raises `pytest.UsageError` where another run acts on the release, or where this one would change it without consent.
    """
    command = run.options.command
    kube = Kube(inventory.kubeconfig, inventory.context)
    arrival = _Arrival(run, inventory, kube, progress)
    with ExitStack() as stack:
        now = arrival.mark(stack)
        if now and command not in _LOOKING:
            arrival.hold(stack, now)
        if command is None:
            arrival.announce()
        return stack.pop_all()


@dataclass(frozen=True)
class _Arrival:
    run: Run
    inventory: Inventory
    kube: Kube
    progress: Callable[[str], None]

    def mark(self, stack: ExitStack) -> datetime | None:
        """Show on the cluster that this run lives, and return its time; None where that may not be shown."""
        kube, deadlines = self.kube, self.run.deadlines
        try:
            mark = stack.enter_context(
                Mark(kube, self.inventory.certificate_namespace, self.run.id, deadlines)
            )
            now = mark.renew()
            swept = sweep(kube, self.inventory, self.run.id, now, deadlines)
        except ApiError as error:
            self.progress(f"this run cannot be marked, and nothing is swept: {error.message}")
            return None
        for line in swept.lines():
            self.progress(line)
        return now

    def hold(self, stack: ExitStack, now: datetime) -> None:
        """Keep other runs off the release while this one acts on it."""
        command = self.run.options.command
        act = f"--{command.replace('_', '-')}" if command else "a run of features"
        places = (self.run.base_name, self.inventory.certificate_namespace)
        try:
            stack.enter_context(Lease(self.kube, places, self.run.id, self.run.deadlines, act=act, now=now))
        except HeldError as held:
            raise pytest.UsageError(str(held)) from None
        except ApiError as error:
            self.progress(f"no Lease can be held, so that another run may meet this one: {error.message}")

    def announce(self) -> None:
        """Say what the run will do to the release that lives there; one that it would change needs consent."""
        try:
            lines = list(self._announcement())
        except (ApiError, LookupError) as error:
            silent = silence(self.kube, error) if isinstance(error, ApiError) else ""
            raise pytest.UsageError(silent or f"what this run would change cannot be seen: {error}") from None
        for line in lines:
            self.progress(line)

    def _announcement(self) -> Iterator[str]:
        run = self.run
        place = run.place(self.kube, self.inventory)
        site = Site(self.kube, self.inventory, place, run.deadlines, self.progress, run.accept_insecure)
        namespace = Namespace(site, run.fault_of, accept_downgrade=run.options.accept_downgrade)
        former = namespace.recalled()
        if former is None:
            yield f"no release is live in {site.name}: scenarios that need one deploy it there"
            return
        planned = namespace.plan(run.release)
        lives = f'release "{former.release.name}" lives in {site.name}'
        changes = list(planned.lines(changes_only=True)) if planned.changes() else []
        if changes and not run.options.apply_changes:
            lines = (f"{lives}, and this run would change it:", *changes, *_remedy(former, planned))
            raise pytest.UsageError("\n  ".join(lines))
        yield from changes or [f"{lives}, and is left as it is"]
        yield from self._interruptions()

    def _interruptions(self) -> Iterator[str]:
        options = self.run.options
        if options.roll_back == "always":
            yield "it is rolled back at the end (--roll-back always)"
        if DISRUPTIVE in options.without:
            yield f"scenarios that would interrupt it are skipped (--without {DISRUPTIVE})"
        else:
            yield (
                f"scenarios with the tag @{DISRUPTIVE} interrupt it for some seconds each; "
                f"--without {DISRUPTIVE} skips them"
            )


def _remedy(former: Live, planned: Plan) -> Iterator[str]:
    """Say how a run leaves a release as it lives, or how it is let change it."""
    yield "nothing was changed"
    if planned.token_changes:
        yield f"ADMIN_PASSWORD is another than the token of the release, which lies in Secret {former.namespace}/{AUTH_SECRET}"
    yield stated_by(former.release)
    if not planned.obstacles():
        yield "with --apply-changes the run changes it"
