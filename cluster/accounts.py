"""Admits a service account to a cluster: makes it, grants its rights, and writes the kubeconfig with which it comes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import yaml
from urllib3.exceptions import HTTPError

from apiserver.connection import Connection
from apiserver.errors import NoAnswerError, explained
from cluster.errors import ClusterError
from cluster.node.api import path_of

if TYPE_CHECKING:
    from pathlib import Path

    from cluster.access import Account

_TIMEOUT = 30.0
# Longer than any run takes: nobody renews the token, and the cluster is gone by then.
_LIFETIME = 7 * 24 * 3600
_MANAGER = "cluster"
_PRIVATE = 0o600


def admit(administrator: Path, account: Account, file: Path) -> None:
    """Apply an account's objects in their order, and write its kubeconfig, for its owner alone; raises ClusterError."""
    way = Connection(administrator, None)
    for obj in account.objects:
        query = {"fieldManager": _MANAGER, "force": "true"}
        _ask(way, "PATCH", path_of(obj), query, obj, "application/apply-patch+yaml")
    config = kubeconfig_of(administrator, account.namespace, account.name)
    # Never open to others, not even for the moment between its making and a change of its mode.
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(config)


def kubeconfig_of(administrator: Path, namespace: str, name: str) -> str:
    """Return the kubeconfig of a service account that is there, with a token for a week; raises ClusterError.

    The cluster and the context are those of the administrator's.
    """
    way = Connection(administrator, None)
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": _LIFETIME},
    }
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
    token = _ask(way, "POST", path, {}, request, "application/json")["status"]["token"]
    config = yaml.safe_load(administrator.read_text(encoding="utf-8"))
    config["users"] = [{"name": one["name"], "user": {"token": token}} for one in config["users"]]
    return json.dumps(config, indent=1)  # JSON is YAML


def _ask(  # noqa: PLR0917 - what makes a request
    way: Connection, method: str, path: str, query: dict[str, str], body: dict[str, Any], content: str
) -> dict[str, Any]:
    headers = {"Accept": "application/json", "Content-Type": content}
    sent = json.dumps(body).encode()
    try:
        answer = way.send(method, path.removeprefix("/"), query, headers, sent, (_TIMEOUT, _TIMEOUT))
        said = answer.data
    except (HTTPError, NoAnswerError, OSError) as error:
        raise ClusterError(f"the account is not made: {explained(error)}") from error
    if answer.status >= 300:
        raise ClusterError(f"{method} {path} is refused: {answer.status} {said.decode(errors='replace')}")
    found: dict[str, Any] = json.loads(said)
    return found
