"""Questions to a cluster over https, as a browser and as a client of the API ask them."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from tests.live.cluster.place import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cluster.provider import Access


@dataclass(frozen=True)
class Response:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: str


def trusting(authority: Path) -> ssl.SSLContext:
    """Verify chain and host name, and trust one authority."""
    return ssl.create_default_context(cafile=str(authority))


def ask(
    access: Access,
    host: str,
    path: str = "/",
    *,
    tls: ssl.SSLContext | None = None,
    body: bytes | Iterable[bytes] | None = None,
) -> Response:
    """Ask the ingress for a path of a host; in clear without `tls`; a body that is no bytes goes in chunks."""
    connection = http.client.HTTPConnection(host)
    near = socket.create_connection((access.inventory["ingress_address"], 443 if tls else 80), PATIENCE)
    with near:
        connection.sock = tls.wrap_socket(near, server_hostname=host) if tls else near
        chunked = body is not None and not isinstance(body, bytes)
        # Whoever refuses a long request may close before all of it is sent: the answer is there nevertheless.
        with suppress(OSError):
            connection.request(
                "GET" if body is None else "POST",
                path,
                body,
                {"Transfer-Encoding": "chunked"} if chunked else {},
                encode_chunked=chunked,
            )
        answer = connection.getresponse()
        response = Response(answer.status, dict(answer.headers), answer.read().decode(errors="replace"))
        connection.close()
        return response


def ask_api(
    access: Access,
    method: str,
    path: str,
    *,
    token: str | None = None,
    certificate: tuple[Path, Path] | None = None,
    body: Any = None,
) -> tuple[int, dict[str, Any]]:
    """Ask the API server as the bearer of a token, of a client certificate (and its key), or as nobody."""
    server = yaml.safe_load(access.kubeconfig.read_text())["clusters"][0]["cluster"]
    context = ssl.create_default_context(cadata=_decoded(server["certificate-authority-data"]))
    if certificate:
        context.load_cert_chain(*certificate)
    connection = http.client.HTTPSConnection(
        server["server"].removeprefix("https://"), context=context, timeout=PATIENCE
    )
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def _decoded(data: str) -> str:
    return base64.b64decode(data).decode()
