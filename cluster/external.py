"""The external provider: a cluster that the user names; it is asked what it can do and otherwise left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from kubernetes.client import ApiClient, NetworkingV1Api, StorageV1Api, VersionApi
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from apiserver.connection import Connection
from apiserver.errors import NoAnswerError, UnusableError, explained
from cluster.access import Access
from cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TIMEOUT = 10  # seconds until a cluster counts as out of reach
_NO_ANSWER = (401, 403, 404)


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
            way = Connection(self._kubeconfig, context)
        except UnusableError as error:
            raise ClusterError(str(error)) from error
        client = way.api
        # Once is enough to tell that nobody is there; urllib3 would try four times, each to the time-out.
        client.rest_client.pool_manager.connection_pool_kw["retries"] = False
        try:
            VersionApi(client).get_code(_request_timeout=self._timeout)
        except (ApiException, HTTPError, NoAnswerError, OSError) as error:
            message = _refusal(error, way.server)
            raise ClusterError(
                f"the cluster of context {context!r} in {self._kubeconfig} {message}"
            ) from error
        return Access(
            name=context,
            kubeconfig=self._kubeconfig,
            context=context,
            capabilities=_capabilities(client, self._timeout),
            inventory={},
            timings=(),
        )

    def delete(self) -> None:
        """Do nothing: the cluster is the user's."""


def _refusal(error: Exception, server: str) -> str:
    """Say in a line how a cluster met us, and what to do: the errors' own texts are pages, or name connections."""
    if isinstance(error, ApiException) and error.status:
        return (
            f"refuses us: {error.status} {error.reason}; renew the credentials of its user, "
            "or name another with --context"
        )
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


def _capabilities(client: ApiClient, timeout: float) -> frozenset[str]:
    found = set()
    if _items(NetworkingV1Api(client).list_ingress_class, timeout):
        found.add("ingress")
    if any(one.allow_volume_expansion for one in _items(StorageV1Api(client).list_storage_class, timeout)):
        found.add("volume-expansion")
    return frozenset(found)


def _items(listing: Callable[..., Any], timeout: float) -> list[Any]:
    """Give what a list holds; nothing where we may not look, since then nothing can be claimed."""
    try:
        return list(listing(_request_timeout=timeout).items)
    except ApiException as error:
        if error.status in _NO_ANSWER:
            return []
        raise ClusterError(f"the cluster does not answer: {error.reason}") from error
    except (HTTPError, NoAnswerError, OSError) as error:
        raise ClusterError(f"the cluster does not answer: {explained(error)}") from error
