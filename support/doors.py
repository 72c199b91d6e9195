"""Tries a release's doors: the ports of its pod, and the identity that the ingress shows."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from support.pods import address_of, environment_of
from support.vantage import Unreachable
from support.wait import kept
from support.ways import POD_PORT, ingress

if TYPE_CHECKING:
    from support.namespace import Live
    from support.vantage import Vantage

# What tells Chroma its port.
_PORT_VARIABLE: Final = "CHROMA_PORT"


@dataclass(frozen=True)
class Doors:
    """Why a neighbour cannot connect to the pod's ports; None where it can."""

    gateway: str | None
    chroma: str | None


def knock(live: Live, vantage: Vantage) -> Doors:
    """Try to connect, as a neighbour would, to the gateway's port and to Chroma's own at the pod's address."""
    address, port = address_of(live), int(environment_of(live)[_PORT_VARIABLE])
    return Doors(_knock(vantage, address, POD_PORT), _knock(vantage, address, port))


def assert_gateway_alone_is_open(doors: Doors) -> None:
    """Assert that a neighbour can connect to the gateway, and not to Chroma."""
    assert doors.gateway is None, f"the gateway cannot be reached: {doors.gateway}"
    assert doors.chroma is not None, "Chroma itself answered a neighbour, past the gateway"


@dataclass(frozen=True)
class Identity:
    """What a verified handshake found out: the names in the certificate, or why it is not to be believed."""

    names: tuple[str, ...]
    doubt: str | None


def identity(live: Live) -> Identity:
    """Shake hands with the ingress as a careful client does: by name, and trusting the platform's authority alone."""
    way = ingress(live.host, live.inventory)
    try:
        with (
            socket.create_connection((way.host, way.port), kept().question) as plain,
            way.verify.wrap_socket(plain, server_hostname=way.host) as spoken,
        ):
            certificate: Any = spoken.getpeercert()
    except OSError as error:
        return Identity((), f"{type(error).__name__}: {error}")
    return Identity(tuple(name for _, name in certificate["subjectAltName"]), None)


def assert_identity_is_proven(found: Identity) -> None:
    """Assert that the certificate is the host's, and of an authority that is trusted."""
    assert found.doubt is None, f"the ingress does not prove who it is: {found.doubt}"


def _knock(vantage: Vantage, address: str, port: int) -> str | None:
    try:
        vantage.connect(address, port).close()
    except Unreachable as reason:
        return str(reason)
    return None
