"""The ways in to a Chroma: as users come, through the ingress or to an address; through the Service and straight at the pod as neighbours come."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, Protocol, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from support.network.vantage import Vantage
    from support.platform.inventory import Inventory

WayName = Literal["ingress", "service", "pod", "endpoint"]
# Those in to a release on a cluster.
WAY_NAMES: Final[tuple[WayName, ...]] = ("ingress", "service", "pod")

# The documented names and ports (docs/platform.md#objects): users of the release rely on them.
SERVICE_PORT: Final = 80
POD_PORT: Final = 8000


@dataclass(frozen=True)
class Way:
    """One way in: where to ask (`url` without a trailing slash) and whom to believe.

    `verify` checks chain and host name wherever the url is https; `ca_bundle` is the PEM file it trusts (None: what
    the system trusts), for clients that only take a file. `title` is what it is called where the url is that of a
    tunnel's near end, which tells nothing.
    """

    name: WayName
    url: str
    verify: ssl.SSLContext
    ca_bundle: Path | None = None
    title: str = ""

    def __str__(self) -> str:
        return self.title or self.url

    @property
    def tls(self) -> bool:
        """Whether the way is encrypted."""
        return self.url.startswith("https:")

    @property
    def host(self) -> str:
        """The host name or address to connect to."""
        return cast("str", urlsplit(self.url).hostname)

    @property
    def port(self) -> int:
        """The port to connect to."""
        return urlsplit(self.url).port or (443 if self.tls else 80)

    def in_clear(self) -> Way:
        """Return the same host over plain http."""
        return Way(self.name, f"http://{netloc(self.host)}", self.verify, self.ca_bundle)


def netloc(host: str, port: int | None = None) -> str:
    """Return a host, with its port where one is given, as a URL has them: an address of IPv6 stands in brackets."""
    named = f"[{host}]" if ":" in host else host
    return named if port is None else f"{named}:{port}"


class Routes(Protocol):
    """The ways in that a caller may take."""

    def of(self, names: Sequence[WayName]) -> tuple[WayName, ...]:
        """Return those that there are of some routes; by every route means `WAY_NAMES`."""

    def way(self, name: WayName) -> Way:
        """Return the way of a name."""

    def ports(self) -> Mapping[int, Way]:
        """Return the ways to all ports of the pod that may be open."""


@dataclass(frozen=True)
class OneRoute:
    """The only way in to what is known by its address."""

    only: Way

    def of(self, names: Sequence[WayName]) -> tuple[WayName, ...]:
        """Return the one that there is; raises a LookupError where one inside a cluster alone is meant."""
        if {"ingress", self.only.name}.isdisjoint(names):
            raise LookupError(f"an address has no route of these: {', '.join(names)}")
        return (self.only.name,)

    def way(self, name: WayName) -> Way:
        """Return the one that there is; raises as `of` does."""
        self.of([name])
        return self.only

    def ports(self) -> Mapping[int, Way]:
        """Raise a LookupError: an address has no pod."""
        raise LookupError("an address has no pod")


def is_address(url: str) -> bool:
    """Whether this is a scheme, a host and, if need be, a port, and nothing besides."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # of a port, or of brackets
        return False
    return bool(usable) and not (parts.path or parts.query or parts.fragment or parts.username)


def at(url: str) -> Way:
    """Return the way to an address, believed as the system does (SSL_CERT_FILE names other authorities)."""
    return Way("endpoint", url, tls_context(None))


def ingress(host: str, inventory: Inventory) -> Way:
    """Return the way through the ingress: https by name, verified against the inventory's certificate authority.

    Where the inventory names an address of the ingress, the host has to be mapped to it (support/core/resolver.py).
    """
    return Way("ingress", f"https://{host}", tls_context(inventory.ca_bundle), inventory.ca_bundle)


@cache
def tls_context(ca_bundle: Path | None) -> ssl.SSLContext:
    """Return a context that verifies chain and host name against a bundle, or against what the system trusts."""
    # Kept: reading the system's hundred authorities takes 20 ms.
    return ssl.create_default_context(cafile=str(ca_bundle) if ca_bundle else None)


def via_vantage(name: WayName, vantage: Vantage, host: str, port: int) -> Way:
    """Return the way to a host and port as the cluster knows them; it leads through the vantage."""
    local_host, local_port = vantage.tunnel(host, port).address
    near = f"http://{netloc(local_host, local_port)}"
    return Way(name, near, tls_context(None), title=f"http://{netloc(host, port)}")
