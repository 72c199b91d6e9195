"""A small client of the API server, for the node's own programs: certificate in, plain dicts out.

The `kubernetes` package would cost each of them a second of processor time to import and 60 MB.
"""

from __future__ import annotations

import http.client
import json
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from cluster import layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TIMEOUT = 30.0
_MANAGER = "cluster"
_CLUSTER_WIDE = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "GatewayClass",
    "IngressClass",
    "Namespace",
    "Node",
    "PersistentVolume",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}


class ApiError(Exception):
    """The API server said no; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def path_of(obj: dict[str, Any]) -> str:
    """Give the path at which the API server keeps an object of any kind used here."""
    version, kind, metadata = obj["apiVersion"], obj["kind"], obj["metadata"]
    root = "/api/v1" if version == "v1" else f"/apis/{version}"
    if kind not in _CLUSTER_WIDE:
        root += f"/namespaces/{metadata['namespace']}"
    name: str = kind.lower()
    return f"{root}/{_plural(name)}/{metadata['name']}"


def _plural(name: str) -> str:
    if name.endswith("s"):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("cy") else f"{name}s"


class Api:
    """One kept connection to the API server; for one thread."""

    def __init__(self, pki: Path, identity: str) -> None:
        self._tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._tls.load_cert_chain(pki / f"{identity}.crt", pki / f"{identity}.key")
        self._connection = self._connect()

    def _connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            layout.NODE_ADDRESS, layout.API_PORT, timeout=_TIMEOUT, context=self._tls
        )

    def get(self, path: str) -> dict[str, Any] | None:
        """Give the object or list at a path, None where there is none; raises ApiError or OSError."""
        try:
            return self._ask("GET", path)
        except ApiError as error:
            if error.status == http.client.NOT_FOUND:
                return None
            raise

    def answers(self, path: str) -> bool:
        """Tell whether a path is served with 200: false while nobody listens, or the server is not ready."""
        try:
            self._ask("GET", path)
        except (ApiError, OSError, http.client.HTTPException):
            return False
        return True

    def create(self, path: str, obj: dict[str, Any]) -> dict[str, Any]:
        """Create an object in the collection at a path; raises ApiError or OSError."""
        return self._ask("POST", path, obj)

    def apply(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Apply an object server-side; raises ApiError or OSError."""
        query = urlencode({"fieldManager": _MANAGER, "force": "true"})
        return self._ask("PATCH", f"{path_of(obj)}?{query}", obj, "application/apply-patch+yaml")

    def merge(self, path: str, patch: dict[str, Any]) -> dict[str, Any]:
        """Patch the object at a path; raises ApiError or OSError."""
        return self._ask("PATCH", path, patch, "application/merge-patch+json")

    def delete(self, path: str) -> None:
        """Delete the object at a path, if there is one; raises ApiError or OSError."""
        try:
            self._ask("DELETE", path)
        except ApiError as error:
            if error.status != http.client.NOT_FOUND:
                raise

    def watch(self, path: str) -> Iterator[dict[str, Any]]:
        """Give the events of the collection at a path, beginning with all that is there, until the server ends it.

        Uses a connection of its own. Raises OSError or http.client.HTTPException when it breaks.
        """
        connection = self._connect()
        connection.timeout = None  # a watch is silent for as long as nothing changes
        try:
            connection.request("GET", f"{path}?watch=true")
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                raise ApiError(answer.status, answer.read().decode())
            for line in answer:
                yield json.loads(line)
        finally:
            connection.close()

    def _ask(
        self, verb: str, path: str, body: dict[str, Any] | None = None, media: str = "application/json"
    ) -> dict[str, Any]:
        try:
            self._connection.request(
                verb, path, None if body is None else json.dumps(body), {"Content-Type": media}
            )
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()  # the next question opens it again
            raise
        is_json = answer.headers.get_content_type() == "application/json"
        value: dict[str, Any] = json.loads(text) if is_json else {}
        if answer.status >= http.client.BAD_REQUEST:
            raise ApiError(answer.status, value.get("message") or text.decode(errors="replace"))
        return value
