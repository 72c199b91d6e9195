"""A run that is about an address: no cluster is needed, asked or touched."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from support.chroma.endpoint import Endpoint, find
from support.chroma.reachable import Credential, Tenancy
from support.core.component import TOKEN_HEADER
from support.deploy.remains import Remains
from support.deploy.sweep import Swept, sweep_databases
from support.network.way import at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from support.reporting.conformance import UsedImage
    from support.session.options import Options

# Variables of the environment: arguments can be read by everybody on a machine.
TOKEN: Final = "CHROMA_TOKEN"  # noqa: S105 - a name
HEADER: Final = "CHROMA_TOKEN_HEADER"


@dataclass(frozen=True)
class Address:
    """What a run has that is about an address, where others have a cluster."""

    endpoint: Endpoint
    # What users take is a way in, as an ingress is.
    capabilities: frozenset[str] = frozenset({"ingress"})
    images: Sequence[UsedImage] = ()

    @property
    def name(self) -> str:
        """The address."""
        return self.endpoint.way.url

    def lacks(self, capability: str) -> str:
        """Say why a scenario that needs this does not run."""
        del capability
        return "it needs a cluster"

    def sweep(self) -> Iterator[str]:
        """Remove what dead runs have left there, and say that, a line each; nothing where there is nothing."""
        it, swept = self.endpoint, Swept()
        sweep_databases(Remains(self.name, it.way, it.credential, it.tenancy), swept)
        yield from swept.lines()

    def handed(self) -> dict[str, Any]:
        """Return what a worker has to know of it, as JSON holds it; it goes through a pipe."""
        it = self.endpoint
        found = {
            "url": it.way.url,
            "token": it.credential.token.get_secret_value(),
            "header": it.credential.header,
            "tenant": it.tenancy.tenant,
            "database": it.tenancy.database,
            "found": {
                "version": it.version,
                "open": it.open,
                "native": it.native,
                "refused_with": it.refused_with,
                "deployed_version": it.deployed_version,
            },
        }
        return {"address": found}

    @classmethod
    def read(cls, handed: Mapping[str, Any]) -> Address:
        """Return what `handed` has written, from its JSON."""
        credential = Credential(SecretStr(handed["token"]), handed["header"])
        tenancy = Tenancy(handed["tenant"], handed["database"])
        return cls(Endpoint(at(handed["url"]), credential, tenancy, **handed["found"]))


def look_at(options: Options, environ: Mapping[str, str] = os.environ) -> Address:
    """Find out what is at the address that the options name; raises `EndpointError`."""
    assert options.endpoint, "no address is named"
    credential = Credential(SecretStr(environ.get(TOKEN, "")), environ.get(HEADER) or TOKEN_HEADER)
    return Address(find(at(options.endpoint), credential, Tenancy(options.tenant, options.database)))
