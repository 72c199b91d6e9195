"""A user of a release that lives, who asks through the ingress with its token."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import urllib3
import yaml

from support.core.component import AUTH_KEY, AUTH_SECRET, TOKEN_HEADER
from support.core.resolver import map_host
from support.kube.client import Kube
from support.kube.secrets import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.live.cluster.site import Site


@dataclass
class User:
    """Asks the release in a namespace; `kube` is the operator's way to its cluster."""

    site: Site
    namespace: str = "chroma"

    def __post_init__(self) -> None:
        stated = yaml.safe_load(self.site.inventory.read_text())
        self.kube = Kube(self.site.kubeconfig, None)
        self._host = f"{self.namespace}.{stated['domain_name']}"
        self._address = stated.get("ingress_address")
        trusted = ssl.create_default_context(cafile=stated.get("ca_bundle"))
        self._http = urllib3.PoolManager(ssl_context=trusted, retries=False)
        token = decoded(self.kube.get("Secret", AUTH_SECRET, self.namespace) or {})[AUTH_KEY]
        self._headers = {TOKEN_HEADER: token}

    @contextmanager
    def finding_the_host(self) -> Iterator[None]:
        """Let the host's name lead to the ingress for a `with` block."""
        with map_host(self._host, self._address):
            yield

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask through the ingress; raises where the answer is no success."""
        answer = self._http.request(
            method, f"https://{self._host}{path}", json=body, headers=self._headers, timeout=30
        )
        if answer.status >= 300:
            raise RuntimeError(f"{self.namespace}: {method} {path}: {answer.status} {answer.data[:200]!r}")
        return answer.json()
