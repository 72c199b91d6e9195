"""Finds the platform's certificate, of which every release takes a copy."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from support.render import Tls

if TYPE_CHECKING:
    from support.kube import Kube

_NAMESPACE: Final = "default"


def platform_certificate(kube: Kube, domain_name: str) -> Tls:
    """Return the certificate of *.`domain_name` and its key; its Secret's name is the platform's rule (platform.md).

    Raises `LookupError` when it is not there.
    """
    name = f"{domain_name.replace('.', '-')}-tls"
    secret = kube.get("Secret", name, _NAMESPACE)
    if not secret:
        raise LookupError(
            f"Secret {_NAMESPACE}/{name} is missing: the platform keeps the certificate of *.{domain_name} there, "
            "and every release takes a copy"
        )
    data = secret["data"]
    return Tls(base64.b64decode(data["tls.crt"]), base64.b64decode(data["tls.key"]))
