"""What the hooks of one process share, and the cluster of the run."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest

from support.chroma.endpoint import EndpointError
from support.commands import LOOKING
from support.deploy.results import NotLive
from support.platform.inventory import ROUTE, InventoryError
from support.release.versions import AUTHENTICATION
from support.reporting.scenario import WRITING
from support.reporting.terminal import SpecificationReporter
from support.reporting.verdict import Results
from support.session.address import Address, look_at
from support.session.clusters import CLUSTERS, Ground, Provider, as_cluster
from support.session.run import INSECURE
from support.session.termination import Termination

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from support.reporting.conformance import Report
    from support.reporting.progress import ProgressPlugin
    from support.reporting.scenario import Scenario
    from support.session.run import Run


@dataclass
class Suite:
    """What the hooks of one process keep; only the controlling process has a report."""

    run: Run
    progress_plugin: ProgressPlugin
    results: Results = field(default_factory=Results)
    report: Report | None = None
    provider: Provider | None = None
    ground: Ground | None = None
    # What ends the run on its cluster: its mark there, and its hold on the release.
    arrival: ExitStack = field(default_factory=ExitStack)
    termination: Termination = field(default_factory=Termination)
    scenarios: Sequence[Scenario] = ()  # those that are selected, or where workers collect them, all
    concluded: bool = False  # whether the last word on the run is written, or could not be


# The tag of scenarios for which the cluster has to have the Gateway API.
GATEWAY_API: Final = "needs-gateway-api"
SUITE: Final = pytest.StashKey[Suite]()


def boot(config: pytest.Config, *, needs_gateway_api: bool = False) -> Ground:
    """Return what the run stands on; the first call creates its cluster, or asks at its address, in the controlling process.

    `needs_gateway_api`: a scenario does, even where the platform exposes hosts by an Ingress. Its boot takes longer.
    """
    suite = config.stash[SUITE]
    if not suite.ground:
        options = suite.run.options
        if options.endpoint:
            suite.ground = _reach(config)
        elif options.target:
            suite.ground = _approach(config)
        else:
            suite.ground = _boot(config, needs_gateway_api=needs_gateway_api)
    return suite.ground


def _reach(config: pytest.Config) -> Ground:
    """Look at the address of a run that is about one, and remove what dead runs have left there unless this one only reads."""
    suite, began, say = config.stash[SUITE], time.monotonic(), sayer(config)
    try:
        address = look_at(suite.run.options)
    except EndpointError as error:
        suite.results.broken.append(str(error))
        raise pytest.UsageError(str(error)) from None
    if WRITING in suite.run.options.permitted:
        for line in address.sweep():
            say(line)
    _meet(suite, address, "look at the address", began)
    return address


def _approach(config: pytest.Config) -> Ground:
    """Look at what something else deployed, as a file describes it."""
    from support.session.target import approach  # noqa: PLC0415 - few runs are about one
    from support.target.description import TargetError  # noqa: PLC0415 - likewise

    suite, clusters, began = config.stash[SUITE], config.stash[CLUSTERS], time.monotonic()
    try:
        access = _provider(config).create()
        target, suite.arrival = approach(suite.run, access, suite.scenarios, sayer(config))
    except (clusters.error, TargetError, EndpointError) as error:
        suite.results.broken.append(str(error))
        raise pytest.UsageError(str(error)) from None
    except NotLive as error:
        # As of a release that is verified: it fails, and nobody has called us wrongly.
        suite.results.broken.append(f"the target is not live: {error}")
        pytest.exit(suite.results.broken[-1], returncode=pytest.ExitCode.TESTS_FAILED)
    _meet(suite, target, "look at the target", began)
    return target


def _meet(suite: Suite, address: Address, what: str, began: float) -> None:
    """Take note of what is there, and of how long it took to look at that."""
    suite.run.meet(address)
    if address.endpoint.open and AUTHENTICATION not in suite.run.options.without:
        suite.run.facts[INSECURE] = address.endpoint.insecurity
    if suite.report:
        suite.report.begin_scenarios()
        suite.report.times[what] = time.monotonic() - began


def _provider(config: pytest.Config, *, needs_gateway_api: bool = False) -> Provider:
    """Return where the cluster of the options comes from."""
    run, options = config.stash[SUITE].run, config.stash[SUITE].run.options
    return config.stash[CLUSTERS].provider_for(
        options.provider,
        kubeconfig=options.kubeconfig,
        context=options.context,
        recipes=config.rootpath / "manifests" / "images",
        progress=progress_of(config),
        patience=options.patience,
        images=() if options.verify else run.release.images,
        gateway_api=needs_gateway_api or run.exposure == ROUTE,
    )


def _boot(config: pytest.Config, *, needs_gateway_api: bool) -> Ground:
    suite, clusters, began = config.stash[SUITE], config.stash[CLUSTERS], time.monotonic()
    options = suite.run.options
    progress = progress_of(config)
    if options.provider == "embedded" and "KUBECONFIG" in os.environ:
        progress(
            "KUBECONFIG is not followed: --kubeconfig=FILE names a cluster to run on; without it one is booted"
        )
    try:
        suite.provider = _provider(config, needs_gateway_api=needs_gateway_api)
        access = suite.provider.create()
        # Whatever is missing or wrong is reported now, before anything is touched.
        if options.command not in LOOKING:
            suite.run.examine(access, clusters.preflight, progress)
    except (clusters.error, InventoryError) as error:
        reason = suite.run.out_of_reach(error) if isinstance(error, clusters.error) else str(error)
        suite.results.broken.append(reason)
        raise pytest.UsageError(reason) from None
    if suite.report:
        suite.report.begin_scenarios()
        what = "boot of the cluster" if options.provider == "embedded" else "preflight of the cluster"
        suite.report.times[what] = time.monotonic() - began
        suite.report.images = access.images
    if options.provider != "embedded" and options.command not in LOOKING | {"sweep"}:
        from support.session.arrival import arrive  # noqa: PLC0415 - who only looks does without
        from support.session.verification import verify  # noqa: PLC0415 - likewise

        with ExitStack() as stack:
            inventory = stack.enter_context(suite.run.using(access))
            stack.enter_context(
                verify(suite.run, inventory, suite.scenarios, sayer(config))
                if options.verify
                else arrive(suite.run, inventory, progress)
            )
            suite.arrival = stack.pop_all()
    return access


def progress_of(config: pytest.Config) -> Callable[[str], None]:
    """Return what tells the terminal what is going on."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.progress if isinstance(reporter, SpecificationReporter) else lambda _: None


def sayer(config: pytest.Config) -> Callable[[str], None]:
    """Return what says lines on the terminal that stay there."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.say if isinstance(reporter, SpecificationReporter) else lambda _: None


def end(suite: Suite) -> None:
    """Take the run's mark off its cluster, and end the cluster if this process has booted one."""
    suite.arrival.close()
    provider, suite.provider, began = suite.provider, None, time.monotonic()
    if provider:
        log = as_cluster(suite.ground).audit_log if suite.ground else None
        if suite.report and log:
            from support.session import rights_used  # noqa: PLC0415 - few clusters have such a log

            with suppress(OSError):  # a run that cannot write its reports says so by itself
                rights_used.write(suite.run, log, suite.run.options.report_dir)
        provider.delete()
        if suite.report and suite.run.options.provider == "embedded":
            suite.report.times["end of the cluster"] = time.monotonic() - began
