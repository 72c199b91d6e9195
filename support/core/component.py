"""The fixed names of a release's objects and of Chroma's interface; each stands here alone.

The objects are those of the documented component (docs/component.md), the interface is version 2 (docs/chroma.md).
"""

from __future__ import annotations

from typing import Final

SERVICE: Final = "chromadb-svc"
INGRESS: Final = "chroma-ingress"
# What takes the place of the Ingress where the platform exposes hosts by the Gateway API: what leads to the release, and
# what leads from plain http to https.
ROUTE: Final = "chroma-route"
REDIRECT: Final = "chroma-redirect"
CLAIM: Final = "chroma-data-pvc"
# The copy of what the nodes pull images with, where the registry asks for it.
PULL_SECRET: Final = "chroma-image-pull"  # noqa: S105 - a name
TLS_SECRET: Final = "chroma-tls-secret"  # noqa: S105 - a name
# The Secret with the token for those who may read it, and the key under which it lies there.
AUTH_SECRET: Final = "chroma-auth"  # noqa: S105 - a name
AUTH_KEY: Final = "auth-token"
# The Secret with the record of what was live last.
LAST_LIVE: Final = "chroma-last-live"
# All Secrets of a release: beside these the one that its gateway reads.
SECRETS: Final = (AUTH_SECRET, "chroma-gateway", TLS_SECRET, LAST_LIVE)

TOKEN_HEADER: Final = "X-Chroma-Token"  # noqa: S105 - a name
HEARTBEAT: Final = "/api/v2/heartbeat"
# Where a keeper beside Chroma says whether every collection answers (support/persistence/keeper.py).
READY: Final = "/ready"
TENANT: Final = "default_tenant"
DEFAULT_DATABASE: Final = "default_database"
COLLECTIONS: Final = f"/api/v2/tenants/{TENANT}/databases/{DEFAULT_DATABASE}/collections"
# The collection of the examples: nobody else's has this name, since they delete it.
COLLECTION: Final = "chroma-conformance-example"
# The variable by which the gateway is told to listen at addresses of IPv6 as well (manifests/gateway/haproxy.cfg).
LISTENS_ON_IPV6: Final = "GATEWAY_LISTENS_ON_IPV6"
