"""Where a release is deployed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.release.release import Release


@dataclass(frozen=True)
class Place:
    """Where a release lives; with a run's id it is a throw-away place of that run alone.

    `announced`: the platform, and users of its code-server, know what lives here; elsewhere what
    announces a release is rendered, but not applied.
    """

    namespace: str
    host: str
    run_id: str | None = None
    announced: bool = False


def unheard(release: Release, stated: Mapping[str, Any]) -> list[str]:
    """Say that a release would not be heard at addresses of IPv6, which pods have; nothing where it would be."""
    if not stated.get("ipv6_pods") or release.gateway or release.chroma.arguments is not None:
        return []
    return [
        (
            f"release {release.name}: its Chroma listens on IPv4 alone, and pods have addresses of IPv6 (ipv6_pods); state the "
            "arguments by which it listens on '::' in a file that extends it, or deploy one that has a gateway"
        )
    ]


def misplaced(host: str | None, stated: Mapping[str, Any]) -> list[str]:
    """Say that the platform's certificate does not cover a host that was asked for; nothing where it does."""
    domain = str(stated.get("domain_name") or "")
    if not host or not domain or re.fullmatch(rf"[a-z0-9-]+\.{re.escape(domain)}", host):
        return []
    return [
        (
            f"--host {host}: is not covered by the platform's certificate, which is for *.{domain}; give one name below the "
            f"domain, such as chroma.{domain}"
        )
    ]
