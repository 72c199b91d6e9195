"""The ways in to a live release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.pods import address_of
from support.ways import POD_PORT, SERVICE, SERVICE_PORT, ingress, inside

if TYPE_CHECKING:
    from support.namespace import Live
    from support.vantage import Vantage
    from support.ways import Way, WayName


def way_in(live: Live, name: WayName, vantage: Vantage) -> Way:
    """Return a way in to the live release; those inside the cluster lead through the vantage.

    The pod's way is good as long as the pod lives: its successor has another address.
    """
    if name == "ingress":
        return ingress(live.host, live.inventory)
    if name == "service":
        return inside(name, vantage, f"{SERVICE}.{live.namespace}.svc.cluster.local", SERVICE_PORT)
    return inside(name, vantage, address_of(live), POD_PORT)
