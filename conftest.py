"""The suite's pytest wiring: its plugins, and the one place that knows where clusters come from."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import pytest

from cluster.provider import Account, ClusterError, provider_for
from support.session import command_line
from support.session.clusters import CLUSTERS, Clusters

if TYPE_CHECKING:
    from cluster.provider import Provider
    from support.platform.assessment import Assessment

# What scenarios need. A command needs none of it, and is over in less time than this takes to be imported.
# Those of packages come first, and are not loaded by themselves: see pytest.ini.
OF_PACKAGES: Final = ("pytest_bdd.plugin", "_hypothesis_pytestplugin", "xdist.plugin", "xdist.looponfail")
OF_SCENARIOS: Final = (
    "support.session.features",
    "support.session.recorder",
    "support.session.scheduling",
    "support.session.sharing",
    "support.fixtures.run",
    "support.fixtures.namespaces",
    "support.fixtures.platform",
    "support.fixtures.clients",
    "support.fixtures.scenarios",
    "steps.inventory",
    "steps.plan",
    "steps.precheck",
    "steps.certificate",
    "steps.releases",
    "steps.access",
    "steps.durability",
    "steps.exhaustion",
    "steps.isolation",
    "steps.collections",
    "steps.queries",
    "steps.status",
    "steps.usage",
    "steps.discovery",
    "steps.backup",
    "steps.performance",
    "steps.objects",
    "steps.ingress",
    "steps.route",
    "steps.troubleshooting",
    "steps.surroundings",
    "steps.notes",
    "steps.rollback",
    "steps.deployment",
    "steps.sweep",
    "steps.telemetry",
    "steps.heritage",
)
# Of these, what scenarios need that are about an address: the rest is about a cluster, and imports what only that needs.
OF_ADDRESSES: Final = (
    "support.session.features",
    "support.session.recorder",
    "support.session.scheduling",
    "support.fixtures.run",
    "support.fixtures.clients",
    "steps.releases",
    "steps.access",
    "steps.durability",
    "steps.isolation",
    "steps.collections",
    "steps.queries",
    "steps.usage",
    "steps.performance",
    "steps.troubleshooting",
)

# How options of packages begin that a command takes as well, and makes nothing of.
OPTIONS_OF_RUNS: Final = {
    "xdist.plugin": ("-n", "--numprocesses", "--dist", "--max", "--tx", "--px", "--testrunuid"),
    "_hypothesis_pytestplugin": ("--hypothesis-",),
}

OPTIONS: Final = "support.session.command_line"
OF_ALL: Final = "support.session.plugin"
# Of pytest itself: at the end each collects garbage several times, for errors that tests leave behind.
NOT_OF_COMMANDS: Final = ("unraisableexception", "threadexception")


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the options, and load what scenarios need unless these ask for a command.

    A list of plugins in this module would be loaded before any option is known.
    """
    # The entry point (src/) has declared them before, where the environment has it.
    if not pluginmanager.has_plugin(OPTIONS):
        pluginmanager.register(command_line, OPTIONS)
    config: Any = pluginmanager.get_plugin("pytestconfig")
    is_command, is_address = command_line.asked(parser, config.invocation_params.args)
    if is_command:
        for name in NOT_OF_COMMANDS:
            pluginmanager.set_blocked(name)
        # One command line serves for a plan and for the run after it.
        for module, options in OPTIONS_OF_RUNS.items():
            if any(one.startswith(options) for one in config.invocation_params.args):
                import_module(module).pytest_addoption(parser)
        pluginmanager.import_plugin(OF_ALL)
    else:
        of_scenarios = OF_ADDRESSES if is_address else OF_SCENARIOS
        for name in (*OF_PACKAGES, OF_ALL, *of_scenarios):
            pluginmanager.import_plugin(name)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Hand in where clusters come from: support knows none."""
    config.stash[CLUSTERS] = Clusters(choose_provider, preflight, ClusterError)


def choose_provider(kind: str, **how: Any) -> Provider:
    """Choose where a cluster comes from; on one that is booted here the suite has the rights that it ships, and no others."""
    return provider_for(kind, account=account() if kind == "embedded" else None, **how)


def account() -> Account:
    """Return the account of the suite on a cluster that is booted here; rights are imported once one is."""
    from support.platform import rights  # noqa: PLC0415 - see above

    return Account(
        rights.HOME, "deploy", rights.manifests("deploy", rights.scope_of(rights.DEPLOY.release, {}))
    )


def preflight(*given: Any) -> Assessment:
    """Examine a cluster; the examination is imported once there is one."""
    from support.platform.preflight import preflight as examine  # noqa: PLC0415 - see above

    return examine(*given)
