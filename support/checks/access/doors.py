"""What a release shows to those who do not ask it anything: its open ports, and its certificate."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.core.wait import kept
from support.deploy.ways_in import PORT_VARIABLE, address_of, environment_of
from support.network.tunnel import Unreachable
from support.network.way import POD_PORT

if TYPE_CHECKING:
    from support.deploy.live import Live
    from support.network.vantage import Vantage


@dataclass(frozen=True)
class OpenPorts:
    """Why a neighbour cannot connect to the pod's ports; None where it can."""

    gateway: str | None
    chroma: str | None


def probe_ports(live: Live, vantage: Vantage) -> OpenPorts:
    """Try to connect, as a neighbour would, to the gateway's port and to Chroma's own at the pod's address."""
    address, port = address_of(live), int(environment_of(live)[PORT_VARIABLE])
    return OpenPorts(_probe_port(vantage, address, POD_PORT), _probe_port(vantage, address, port))


def assert_gateway_alone_is_open(open_ports: OpenPorts) -> None:
    """Assert that a neighbour can connect to the gateway, and not to Chroma."""
    assert open_ports.gateway is None, f"the gateway cannot be reached: {open_ports.gateway}"
    assert open_ports.chroma is not None, "Chroma itself answered a neighbour, past the gateway"


@dataclass(frozen=True)
class ServerCertificate:
    """What a verified handshake found out: the names in the certificate, or why it is not to be believed."""

    names: tuple[str, ...]
    doubt: str | None


def server_certificate(live: Live) -> ServerCertificate:
    """Shake hands with the ingress as a careful client does: by name, and trusting the platform's authority alone."""
    way = live.way
    try:
        with (
            socket.create_connection((way.host, way.port), kept().question) as plain,
            way.verify.wrap_socket(plain, server_hostname=way.host) as spoken,
        ):
            certificate: Any = spoken.getpeercert()
    except OSError as error:
        return ServerCertificate((), f"{type(error).__name__}: {error}")
    return ServerCertificate(tuple(name for _, name in certificate["subjectAltName"]), None)


def assert_identity_is_proven(found: ServerCertificate) -> None:
    """Assert that the certificate is the host's, and of an authority that is trusted."""
    assert found.doubt is None, f"the ingress does not prove who it is: {found.doubt}"


def _probe_port(vantage: Vantage, address: str, port: int) -> str | None:
    try:
        vantage.connect(address, port).close()
    except Unreachable as reason:
        return str(reason)
    return None
