"""The external provider: a cluster that the user names; it is asked what it can do and otherwise left alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml
from urllib3.exceptions import HTTPError

from apiserver.connection import Connection
from apiserver.errors import NoAnswerError, UnusableError, explained
from cluster.access import Access
from cluster.errors import ClusterError

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT = 10  # seconds until a cluster counts as out of reach
_NO_ANSWER = (401, 403, 404)


class _RefusedError(Exception):
    """The API server said no, with this status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}".strip())
        self.status = status


class ExternalProvider:
    """A cluster by its kubeconfig and context; without a context, the one that is current in that file."""

    def __init__(self, kubeconfig: Path | None, context: str | None, patience: float = 1.0) -> None:
        self._kubeconfig = kubeconfig
        self._context = context
        self._timeout = _TIMEOUT * patience

    def create(self) -> Access:
        """Look whether the cluster answers, and what it has; raises ClusterError.

        Whether NetworkPolicies are enforced cannot be asked, so that capability is never claimed.
        """
        if self._kubeconfig is None:
            raise ClusterError("an external cluster is named by its kubeconfig: add --kubeconfig FILE")
        context = self._context or _current_context(self._kubeconfig)
        try:
            # Once is enough to tell that nobody is there; urllib3 would try four times, each to the time-out.
            way = Connection(self._kubeconfig, context, retries=False)
        except UnusableError as error:
            raise ClusterError(str(error)) from error
        try:
            _ask(way, "version", self._timeout)
        except (_RefusedError, HTTPError, NoAnswerError, OSError) as error:
            message = _refusal(error, way.server)
            raise ClusterError(
                f"the cluster of context {context!r} in {self._kubeconfig} {message}"
            ) from error
        return Access(
            name=context,
            kubeconfig=self._kubeconfig,
            context=context,
            capabilities=_capabilities(way, self._timeout),
            inventory={},
            timings=(),
        )

    def delete(self) -> None:
        """Do nothing: the cluster is the user's."""


def _refusal(error: Exception, server: str) -> str:
    """Say in a line how a cluster met us, and what to do: the errors' own texts are pages, or name connections."""
    if isinstance(error, _RefusedError):
        return f"refuses us: {error}; renew the credentials of its user, or name another with --context"
    why = explained(error)
    if why.lasting:
        return f"is not reached at {server}: {why}; mend the way that the kubeconfig names (proxy-url, tls-server-name, authority)"
    return (
        f"does not answer at {server}: {why}; start it, see that this machine reaches and trusts it, "
        "or name another with --kubeconfig and --context"
    )


def _current_context(kubeconfig: Path) -> str:
    try:
        config = yaml.safe_load(kubeconfig.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ClusterError(f"the kubeconfig {kubeconfig} cannot be read: {error}") from error
    context = config.get("current-context") if isinstance(config, dict) else None
    if not context:
        raise ClusterError(f"{kubeconfig} has no current context: add --context NAME")
    return str(context)


def _capabilities(way: Connection, timeout: float) -> frozenset[str]:
    found = {"kubernetes", "vantage"}
    if _items(way, "apis/networking.k8s.io/v1/ingressclasses", timeout):
        found.add("ingress")
    if _items(way, "apis/gateway.networking.k8s.io/v1/gateways", timeout):
        found.add("ingress")
    classes = _items(way, "apis/storage.k8s.io/v1/storageclasses", timeout)
    if any(one.get("allowVolumeExpansion") for one in classes):
        found.add("volume-expansion")
    return frozenset(found)


def _items(way: Connection, path: str, timeout: float) -> list[dict[str, Any]]:
    """Give what a list holds; nothing where we may not look, since then nothing can be claimed."""
    try:
        return list(_ask(way, path, timeout).get("items") or ())
    except _RefusedError as error:
        if error.status in _NO_ANSWER:
            return []
        raise ClusterError(f"the cluster does not answer: {error}") from error
    except (HTTPError, NoAnswerError, OSError) as error:
        raise ClusterError(f"the cluster does not answer: {explained(error)}") from error


def _ask(way: Connection, path: str, timeout: float) -> dict[str, Any]:
    """Return what is at a path; raises `_RefusedError`, and what `explained` explains."""
    answer = way.send("GET", path, {}, {"Accept": "application/json"}, None, (timeout, timeout))
    body = answer.data
    if answer.status >= 300:
        raise _RefusedError(answer.status, answer.reason or "")
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NoAnswerError("what is there is no API server")
    return found
