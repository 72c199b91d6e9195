# mypy: untyped-calls-exclude=kubernetes
"""Leads to an API server as a kubeconfig says: address, server name, certificates, credentials and proxy."""

from __future__ import annotations

import ssl
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import yaml
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.config import load_kube_config
from kubernetes.config.config_exception import ConfigException
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError
from urllib3.util import Retry

from apiserver import proxy
from apiserver.errors import UnusableError
from apiserver.proxy import Proxy, dial_straight

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Dial = Callable[[str, int, float | None], socket.socket]

# Connections that are kept: releases are applied by several threads, and each watch occupies one.
_CONNECTIONS: Final = 32
# A kept connection may have been ended meanwhile; a server that is slow, or asks to be left alone, is not asked on and on.
_RETRIES: Final = Retry(3, read=1, respect_retry_after_header=False)
# Headers of a request whose answer is a body of some kind.
_OF_BODIES: Final = {"accept", "content-type"}
# Of impersonation: what goes into a header, and what would need one several times.
_IMPERSONATED: Final = {"as": "Impersonate-User", "as-uid": "Impersonate-Uid"}
_NOT_IMPERSONATED: Final = ("as-groups", "as-user-extra")


class Connection:
    """The way to one API server; plain requests go through `api`, others through what `connect` opens.

    Both take server name, certificates, credentials and proxy from here. Raises `UnusableError` where the kubeconfig
    leads nowhere or asks for what is not supported.
    """

    def __init__(self, kubeconfig: Path, context: str | None) -> None:
        self._configuration = Configuration()
        self._configuration.proxy = None  # the environment's is looked for below
        self._tls = self._load(kubeconfig, context)
        self._dial = self._dialler(str(kubeconfig))
        self._server_name = self._configuration.tls_server_name
        self.server: str = self._configuration.host
        self.api = ApiClient(self._configuration)
        for name, value in _impersonation(kubeconfig, context):
            self.api.set_default_header(name, value)
        manager = self.api.rest_client.pool_manager
        manager.connection_pool_kw.update(ssl_context=self._tls, maxsize=_CONNECTIONS, retries=_RETRIES)
        manager.pool_classes_by_scheme = _pools(self._dial)

    def connect(self, timeout: float) -> socket.socket:
        """Connect to the server, in TLS where it wants that; raises what `explained` explains."""
        parts = urlsplit(self.server)
        secure = parts.scheme == "https"
        connected = self._dial(parts.hostname or "", parts.port or (443 if secure else 80), timeout)
        if not secure:
            return connected
        try:
            return self._tls.wrap_socket(connected, server_hostname=self._server_name or parts.hostname)
        except BaseException:
            connected.close()
            raise

    def request(self, path: str) -> tuple[str, str, dict[str, str]]:
        """Return host, target and headers of a request that is sent on a connection of its own."""
        _, url, headers, _, _ = self.api.param_serialize("GET", path, auth_settings=["BearerToken"])
        parts = urlsplit(url)
        named = {name: value for name, value in headers.items() if name.lower() not in _OF_BODIES}
        return parts.netloc, urlunsplit(("", "", parts.path, parts.query, "")), named

    def _load(self, kubeconfig: Path, context: str | None) -> ssl.SSLContext:
        """Read the kubeconfig; the keys in it lie in files of their own only as long as it takes to load them."""
        configuration = self._configuration
        with TemporaryDirectory() as scratch:
            try:
                load_kube_config(str(kubeconfig), context, configuration, temp_file_path=scratch)
                tls = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
                if configuration.cert_file:
                    tls.load_cert_chain(configuration.cert_file, configuration.key_file)
            except (ConfigException, OSError, ValueError, TypeError, KeyError) as error:
                # Behind these words the reader's errors quote what the file holds, credentials too.
                why = " ".join(str(error).partition(" in ")[0].split())
                raise UnusableError(f"{kubeconfig} does not lead to a cluster: {why}") from None
        configuration.ssl_ca_cert = configuration.cert_file = configuration.key_file = None
        if not configuration.verify_ssl:
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        return tls

    def _dialler(self, source: str) -> Dial:
        """Return what connects to the server: through the kubeconfig's proxy, else through the environment's, else straight."""
        named, self._configuration.proxy = self._configuration.proxy, None
        if named:
            return Proxy.of(named, f"proxy-url in {source}", self._proxy_tls).dial
        found = proxy.of_environment(self._configuration.host, self._proxy_tls)
        return found.dial if found else dial_straight

    def _proxy_tls(self) -> ssl.SSLContext:
        """Believe a proxy that is spoken to in TLS by the system's authorities, or by the cluster's, as kubectl does."""
        tls = ssl.create_default_context()
        for authority in self._tls.get_ca_certs(binary_form=True):
            tls.load_verify_locations(cadata=authority)
        if not self._configuration.verify_ssl:
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        return tls


def _impersonation(kubeconfig: Path, context: str | None) -> Iterator[tuple[str, str]]:
    """Yield the headers by which a kubeconfig's user acts as another, which its reader passes over."""
    config: Any = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    name = context or config.get("current-context")
    acting = {one["name"]: one["context"].get("user") for one in config["contexts"]}[name]
    users = {one["name"]: one["user"] for one in config.get("users") or ()}
    user: dict[str, Any] = users.get(acting) or {}
    for field in _NOT_IMPERSONATED:
        if user.get(field):
            raise UnusableError(
                f"{kubeconfig} asks for {field}, which is not supported: name a user without it"
            )
    for field, header in _IMPERSONATED.items():
        if user.get(field):
            yield header, str(user[field])


def _pools(dial: Dial) -> dict[str, type[HTTPConnectionPool]]:
    """Return urllib3's pools, whose connections are made by `dial`."""

    def dialled(connection: HTTPConnection) -> socket.socket:
        timeout = connection.timeout
        try:
            return dial(
                connection.host, connection.port, timeout if isinstance(timeout, int | float) else None
            )
        except OSError as error:  # which urllib3 tries again, as it does with its own
            raise NewConnectionError(connection, str(error)) from error

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return dialled(self)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return dialled(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
