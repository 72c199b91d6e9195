"""Carries out a command that is asked for instead of the features."""

from __future__ import annotations

import sys

import pytest

from support.commands import carry_out
from support.commands.call import Call, NotConsentedError
from support.core.redaction import redacted_file
from support.deploy.namespace import Namespace
from support.deploy.site import Site
from support.kube.client import Kube
from support.kube.errors import ApiError
from support.kube.silence import SilentError, silence
from support.session.clusters import as_cluster
from support.session.consent import Consent
from support.session.suite import SUITE, boot, progress_of


def obey(config: pytest.Config, _session: pytest.Session) -> int:
    """Carry out the command that is asked for, and return its exit code."""
    suite = config.stash[SUITE]
    run, file = suite.run, redacted_file(sys.stdout, suite.run.redactor)
    with run.using(as_cluster(boot(config))) as inventory:
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
            lambda line: print(line, file=file, flush=True),
            Consent(config, given=run.options.yes),
            run.options.remove_data,
            chosen=run.options.release is not None,
            changes=run.options.changes,
        )
        try:
            return carry_out(run.options.command or "", call)
        except (SilentError, NotConsentedError) as error:
            raise pytest.UsageError(str(error)) from None
