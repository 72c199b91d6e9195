"""Carries out a command that is asked for instead of the features."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from support.commands import ERRANDS, carry_out, run_errand
from support.commands.call import Call, NotConsentedError
from support.commands.errand import Errand
from support.core.errors import SuiteError
from support.core.redaction import redacted_file
from support.deploy.history import NoRevisionError
from support.deploy.namespace import Namespace
from support.deploy.site import Site
from support.kube.client import Kube
from support.kube.errors import ApiError
from support.kube.silence import SilentError, silence
from support.platform.inventory import InventoryError
from support.session.clusters import as_cluster
from support.session.consent import Consent
from support.session.suite import SUITE, boot, progress_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from support.platform.inventory import Inventory
    from support.reporting.scenario import Scenario


def _scenarios(config: pytest.Config) -> list[Scenario]:
    from support.session.collector import all_scenarios  # noqa: PLC0415 - pytest-bdd, which few commands need

    return all_scenarios(config.rootpath)


@contextmanager
def _usable(given: AbstractContextManager[Inventory]) -> Iterator[Inventory]:
    """Lend an inventory; raises `pytest.UsageError` where it is incomplete, which a command that only looks finds out here."""
    with ExitStack() as stack:
        try:
            inventory = stack.enter_context(given)
        except InventoryError as error:
            raise pytest.UsageError(str(error)) from None
        yield inventory


def obey(config: pytest.Config, _session: pytest.Session) -> int:
    """Carry out the command that is asked for, and return its exit code."""
    suite = config.stash[SUITE]
    run, file = suite.run, redacted_file(sys.stdout, suite.run.redactor)
    command = run.options.command or ""

    def say(line: str) -> None:
        print(line, file=file, flush=True)

    if command in ERRANDS:
        arguments = [*map(str, config.invocation_params.args)]
        errand = Errand(
            option=config.getoption,
            arguments=arguments,
            root=config.rootpath,
            run_id=run.id,
            kubeconfig=run.options.kubeconfig,
            report_dir=run.options.report_dir,
            scenarios=lambda: _scenarios(config),
            say=say,
        )
        try:
            return run_errand(command, errand)
        except SuiteError as error:
            raise pytest.UsageError(str(error)) from None
    with _usable(run.using(as_cluster(boot(config)))) as inventory:
        kube = Kube(inventory.kubeconfig, inventory.context)
        try:
            place = run.place(kube, inventory)
        except ApiError as error:
            raise pytest.UsageError(
                silence(kube, error) or f"where the release lives cannot be seen: {error}"
            ) from None
        namespace = Namespace(
            Site(kube, inventory, place, run.deadlines, progress_of(config), run.accept_insecure),
            run.fault_of,
            accept_downgrade=run.options.accept_downgrade,
        )
        call = Call(
            namespace,
            run.release,
            run.id,
            run.deadlines,
            run.options.argument,
            say,
            Consent(config, given=run.options.yes),
            run.options.remove_data,
            chosen=run.options.release is not None,
            revision=run.options.revision or "",
            keep=run.options.keep,
            changes=run.options.changes,
        )
        try:
            return carry_out(command, call)
        except (SilentError, NotConsentedError, NoRevisionError) as error:
            raise pytest.UsageError(str(error)) from None
