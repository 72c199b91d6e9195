"""The fixed names of Chroma's interface."""

from __future__ import annotations

from typing import Final

TOKEN_HEADER: Final = "X-Chroma-Token"  # noqa: S105 - a name


TENANT: Final = "default_tenant"


DEFAULT_DATABASE: Final = "default_database"


# The collection of the examples: nobody else's has this name, since they delete it.
COLLECTION: Final = "chroma-conformance-example"
