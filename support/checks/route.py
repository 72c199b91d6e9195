"""Platforms that expose hosts by routes of the Gateway API, and Gateways that do not take one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from support.core.component import INGRESS as INGRESS_NAME
from support.core.component import ROUTE as ROUTE_NAME
from support.kube import probe
from support.kube.labels import ownership
from support.platform.inventory import INGRESS, ROUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.deploy.namespace import Namespace
    from support.kube.client import Kube
    from support.platform.inventory import Inventory
    from support.release.release import Release


@dataclass(frozen=True)
class Platforms:
    """Gives throw-away namespaces on platforms that expose hosts otherwise than the inventory of the run says.

    `lend` gives one on the platform of an inventory; `kube` is the platform's, whose Gateways are.
    """

    kube: Kube
    inventory: Inventory = field(repr=False)
    lend: Callable[[Inventory], Namespace]
    run_id: str

    def routed(self, **changes: str) -> Namespace:
        """Return a namespace whose hosts a route exposes; by a Gateway with other names, where these are given."""
        return self.lend(self.inventory.model_copy(update={"exposure": ROUTE, **changes}))

    def moved(self, release: Release) -> Namespace:
        """Let a release live behind an Ingress; return its namespace as it is once the platform has moved to routes."""
        before = self.lend(self.inventory.model_copy(update={"exposure": INGRESS}))
        before.ensure_live(release)
        return before.on_platform(before.inventory.model_copy(update={"exposure": ROUTE}))

    def refusing(self, listener: Mapping[str, Any]) -> Namespace:
        """Return a namespace whose route leads to a Gateway of its own, with a listener for https that is so."""
        home = self.routed()
        kube, labels = self.kube, ownership(self.run_id)
        kube.apply(probe.namespace(home.name, self.run_id))
        kube.apply(
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "Gateway",
                "metadata": {"name": "refusing", "namespace": home.name, "labels": labels},
                "spec": {
                    # Of no controller: it is looked at before one would be asked.
                    "gatewayClassName": "nobodys",
                    "listeners": [
                        {"name": self.inventory.gateway_section, "port": 443, **_HTTPS, **listener},
                        {"name": self.inventory.gateway_http_section, "port": 80, "protocol": "HTTP"},
                    ],
                },
            }
        )
        return self.routed(gateway_name="refusing", gateway_namespace=home.name)


_HTTPS: Final = {"protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "nobodys"}]}}
_ALL: Final = {"namespaces": {"from": "All"}}

# What a route may lead to that does not take it, by the words of the features.
GATEWAYS: Final[Mapping[str, Callable[[Platforms], Namespace]]] = {
    "a Gateway that does not exist": lambda platforms: platforms.routed(gateway_name="nobodys"),
    "a listener that the Gateway does not have": lambda platforms: platforms.routed(
        gateway_section="nobodys"
    ),
    "a Gateway that takes its own namespace only": partial(Platforms.refusing, listener={}),
    "a Gateway for other hosts": partial(
        Platforms.refusing, listener={"allowedRoutes": _ALL, "hostname": "*.elsewhere.invalid"}
    ),
}


def assert_exposed_by_route(namespace: Namespace) -> None:
    """Assert that a release has its route, which its Gateway has accepted, and no Ingress any more."""
    kube, where = namespace.kube, namespace.name
    route = kube.get("HTTPRoute", ROUTE_NAME, where)
    assert route, f"HTTPRoute {ROUTE_NAME} is not there in {where}"
    assert kube.get("Ingress", INGRESS_NAME, where) is None, (
        f"Ingress {INGRESS_NAME} is still there in {where}"
    )
