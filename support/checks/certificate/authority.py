"""Certificates of the platforms that scenarios make up; each comes from an authority (`trustme.CA`) of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from support.platform.certificate import Tls

if TYPE_CHECKING:
    from trustme import CA

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """When a certificate is valid, in days from now."""

    begin: int
    end: int


NOW: Final = Span(-1, 30)
PAST: Final = Span(-30, -1)
FUTURE: Final = Span(1, 30)


def issue(authority: CA, host: str, span: Span = NOW) -> Tls:
    """Return a certificate for a host, or a wildcard of hosts, with its key."""
    now = datetime.now(UTC)
    issued = authority.issue_cert(host, not_before=now + span.begin * _DAY, not_after=now + span.end * _DAY)
    return Tls(issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes())
