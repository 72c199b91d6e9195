"""The ways in to a live release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from support.core.component import SERVICE
from support.kube.containers import ports
from support.network.way import POD_PORT, SERVICE_PORT, via_vantage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.deploy.live import Live
    from support.kube.objects import Object
    from support.network.vantage import Vantage
    from support.network.way import Way, WayName


def way_in(live: Live, name: WayName, vantage: Vantage) -> Way:
    """Return a way in to the live release; those inside the cluster lead through the vantage.

    The pod's way is good as long as the pod lives: its successor has another address.
    """
    if name == "ingress":
        return live.way
    if name == "service":
        return via_vantage(name, vantage, live.inventory.inside(SERVICE, live.namespace), SERVICE_PORT)
    return via_vantage(name, vantage, address_of(live), POD_PORT)


@dataclass(frozen=True)
class WaysIn:
    """All ways in to the live release."""

    live: Live
    vantage: Vantage

    def of(self, names: Sequence[WayName]) -> tuple[WayName, ...]:
        """Return these: a cluster has them all."""
        return tuple(names)

    def way(self, name: WayName) -> Way:
        """Return the way of a name."""
        return way_in(self.live, name, self.vantage)

    def ports(self) -> Mapping[int, Way]:
        """Return the ways to the ports that the pod declares, and to Chroma's own, which is on its loopback where there is a gateway."""
        pod, own = pod_of(self.live), environment_of(self.live).get(PORT_VARIABLE, POD_PORT)
        address = address_of(self.live)
        return {
            port: via_vantage("pod", self.vantage, address, port)
            for port in sorted({*ports(pod["spec"]), int(own), POD_PORT})
        }


# What tells Chroma its port.
PORT_VARIABLE: Final = "CHROMA_PORT"
# The documented name (docs/platform.md#objects), and the container in it that runs Chroma.
POD: Final = "chroma-0"


CONTAINER: Final = "chroma"


# Lines: more than a container's log holds, which the kubelet rotates at 10 MiB.
_WHOLE: Final = 1_000_000


def pod_of(live: Live) -> Object:
    """Return the release's pod; a LookupError when there is none."""
    pod = live.kube.get("Pod", POD, live.namespace)
    if pod is None:
        raise LookupError(f"there is no pod {live.namespace}/{POD}")
    return pod


def address_of(live: Live) -> str:
    """Return the IP address of the release's pod; a LookupError when it has none."""
    address = pod_of(live)["status"].get("podIP")
    if not address:
        raise LookupError(f"pod {live.namespace}/{POD} has no address")
    return str(address)


def environment_of(live: Live) -> dict[str, str]:
    """Return the plain variables of Chroma's container; a LookupError when there is no pod."""
    return {
        variable["name"]: variable.get("value", "")
        for container in pod_of(live)["spec"]["containers"]
        if container["name"] == CONTAINER
        for variable in container.get("env", [])
    }


def beside(live: Live) -> dict[str, Any]:
    """Return the part of a specification that puts a pod on the node of the release's pod, under the same user."""
    theirs = pod_of(live)["spec"]
    return {"nodeName": theirs["nodeName"], "securityContext": theirs["securityContext"]}


def log_of(live: Live) -> str:
    """Return all that Chroma's container has logged since it was started."""
    return live.kube.logs(live.namespace, POD, CONTAINER, tail=_WHOLE)
