"""A Chroma as its users reach it, whoever has deployed it and wherever it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from support.core.component import DEFAULT_DATABASE, TENANT, TOKEN_HEADER

if TYPE_CHECKING:
    from pydantic import SecretStr

    from support.network.way import Way

Headers = list[tuple[str, str]]

BEARER_HEADER: Final = "Authorization"
"""The header in which a token is shown as a bearer's (RFC 6750)."""


@dataclass(frozen=True)
class Credential:
    """A token, and the header in which it is shown; an empty one where none is asked for."""

    token: SecretStr
    header: str = TOKEN_HEADER

    @property
    def headers(self) -> Headers:
        """What its bearer shows."""
        secret = self.token.get_secret_value()
        return self.showing(secret) if secret else []

    def showing(self, secret: str) -> Headers:
        """Return what somebody shows who has this in the place of the token."""
        bears = self.header.lower() == BEARER_HEADER.lower()
        return [(self.header, f"Bearer {secret}".rstrip() if bears else secret)]


@dataclass(frozen=True)
class Tenancy:
    """The tenant, and the database of his, that are meant where none is named."""

    tenant: str = TENANT
    database: str = DEFAULT_DATABASE

    @property
    def databases(self) -> str:
        """The path of the tenant's databases."""
        return f"/api/v2/tenants/{self.tenant}/databases"

    @property
    def collections(self) -> str:
        """The path of the database's collections."""
        return f"{self.databases}/{self.database}/collections"


class Reachable(Protocol):
    """A Chroma by the way that its users take, with what lets them in: all that most scenarios need of it."""

    @property
    def way(self) -> Way:
        """The way that its users take."""

    @property
    def credential(self) -> Credential:
        """What lets its bearer in."""

    @property
    def tenancy(self) -> Tenancy:
        """Where it is asked when nothing else is named."""

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do, of what not every Chroma can (support/release/versions.py)."""

    @property
    def refusal(self) -> int:
        """The HTTP status by which it refuses a stranger."""

    @property
    def open_paths(self) -> frozenset[str]:
        """The paths that it answers without a token, as far as its version is known."""

    @property
    def lasting(self) -> bool:
        """Whether it outlives the scenario."""
