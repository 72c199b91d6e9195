"""The suite's pytest wiring: its plugins, and the one place that knows where clusters come from."""

from __future__ import annotations

import pytest

from cluster.provider import ClusterError, provider_for
from support.platform.preflight import preflight
from support.session.clusters import CLUSTERS, Clusters

pytest_plugins = [
    "support.session.plugin",
    "support.session.recorder",
    "support.session.scheduling",
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
    "steps.collections",
    "steps.queries",
    "steps.status",
    "steps.usage",
    "steps.discovery",
    "steps.backup",
    "steps.performance",
    "steps.objects",
    "steps.ingress",
    "steps.troubleshooting",
    "steps.surroundings",
    "steps.notes",
    "steps.rollback",
    "steps.deployment",
    "steps.sweep",
    "steps.telemetry",
    "steps.heritage",
]


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Hand in where clusters come from: support knows none."""
    config.stash[CLUSTERS] = Clusters(provider_for, preflight, ClusterError)
