"""The ways in to what somebody else deployed: as its users come, through its Service, and straight at its pod."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.core.resolver import map_host
from support.kube.containers import ports
from support.network.way import POD_PORT, WAY_NAMES, Way, netloc, tls_context, via_vantage
from support.target.deployed import port_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from support.kube.objects import Object
    from support.network.vantage import Vantage
    from support.network.way import WayName
    from support.target.deployed import Deployed

_NO_ADDRESS: Final = "None"  # of a Service that has none of its own, in Kubernetes' word


@dataclass(frozen=True)
class TargetRoutes:
    """The ways in; without a `vantage` only that of the users."""

    deployed: Deployed
    users: Way
    vantage: Vantage | None = None

    def of(self, names: Sequence[WayName]) -> tuple[WayName, ...]:
        """Return those that there are of some; raises a LookupError where there is none of them."""
        there = {self.users.name, *(("service", "pod") if self.vantage else ())}
        # Where users come through the Service, that is their way.
        wanted = {self.users.name if name == "ingress" else name for name in names}
        if found := tuple(name for name in WAY_NAMES if name in wanted & there):
            return found
        raise LookupError(f"it has no way of these: {', '.join(names)}")

    def way(self, name: WayName) -> Way:
        """Return the way of a name; raises as `of` does, and a LookupError where it leads nowhere now."""
        (name,) = self.of([name])
        if name == self.users.name:
            return self.users
        assert self.vantage, "only the way of the users does without"
        return (
            at_service(self.deployed, self.vantage)
            if name == "service"
            else at_pod(self.deployed, self.vantage)
        )

    def ports(self) -> Mapping[int, Way]:
        """Return the ways to all ports of a pod that may be open; a LookupError without a vantage."""
        if self.vantage is None:
            raise LookupError("without a vantage nothing is seen inside the cluster")
        pod = self.deployed.pod()
        address, led_to = (
            _address(pod),
            (self.deployed.port_at_pod(pod, one) for one in self.deployed.stated.services),
        )
        # Of a Chroma behind a proxy its own is declared nowhere: it is the usual one, or not to be known.
        return {
            port: via_vantage("pod", self.vantage, address, port)
            for port in sorted({*ports(pod["spec"]), *led_to, POD_PORT})
        }


def at_url(deployed: Deployed) -> Way:
    """Return the way to the url that is stated."""
    bundle = deployed.stated.ca_bundle
    return Way("ingress", deployed.stated.url, tls_context(bundle), bundle)


def in_cluster(deployed: Deployed) -> Way:
    """Return the way through the Service as the cluster knows it, which is good for its name alone: nothing here resolves it."""
    host, port = _service(deployed)
    url = f"http://{netloc(host, port)}"
    return Way("service", url, tls_context(None), title=url)


def at_service(deployed: Deployed, vantage: Vantage) -> Way:
    """Return the way of other pods."""
    return via_vantage("service", vantage, *_service(deployed))


def at_pod(deployed: Deployed, vantage: Vantage) -> Way:
    """Return the way to a pod that is ready, past every Service; a LookupError when there is none."""
    pod = deployed.pod()
    port = deployed.port_at_pod(pod, deployed.stated.services[0])
    return via_vantage("pod", vantage, _address(pod), port)


@contextmanager
def named(deployed: Deployed) -> Iterator[None]:
    """Let the host of the url have the address that is stated, in this process alone."""
    stated = deployed.stated
    mapped = (
        map_host(at_url(deployed).host, stated.ingress_address)
        if stated.url and stated.ingress_address
        else None
    )
    with mapped or nullcontext():
        yield


def _service(deployed: Deployed) -> tuple[str, int]:
    """Return host and port of the first Service, as other pods ask for it."""
    stated = deployed.stated.services[0]
    service = deployed.service(stated)
    port = port_of(service, stated.port) if service else None
    if service is None or port is None:
        raise LookupError(f"there is no port {stated.port} of Service {stated.name} any more")
    host = f"{stated.name}.{deployed.stated.namespace}.svc"
    if service["spec"].get("clusterIP") == _NO_ADDRESS:
        # Its name leads straight to the pods, which know nothing of the Service's port.
        return host, deployed.port_at_pod(deployed.pod(), stated)
    return host, int(port["port"])


def _address(pod: Object) -> str:
    address = pod["status"].get("podIP")
    if not address:
        raise LookupError(f"pod {pod['metadata']['name']} has no address")
    return str(address)
