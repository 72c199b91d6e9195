"""Leads to an API server as a kubeconfig says: address, server name, certificates, credentials and proxy."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError
from urllib3.util import Retry, Timeout

from apiserver import proxy
from apiserver.kubeconfig import read
from apiserver.proxy import Proxy, dial_straight

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from urllib3 import BaseHTTPResponse

    Dial = Callable[[str, int, float | None], socket.socket]

# Connections that are kept: releases are applied by several threads, and each watch occupies one.
_CONNECTIONS: Final = 32
# A kept connection may have been ended meanwhile; a server that is slow, or asks to be left alone, is not asked on and on.
_RETRIES: Final = Retry(3, read=1, respect_retry_after_header=False)


class Connection:
    """The way to one API server; plain requests go through `send`, others through what `connect` opens.

    Both take server name, certificates, credentials and proxy from here. Raises `UnusableError` where the kubeconfig
    leads nowhere or asks for what is not supported. Without `retries` what nobody answers is sent once.
    """

    def __init__(self, kubeconfig: Path, context: str | None, *, retries: bool = True) -> None:
        self._target = read(kubeconfig, context)
        self._dial = self._dialler(str(kubeconfig))
        self.server: str = self._target.server
        self._manager = PoolManager(
            retries=_RETRIES if retries else False,
            maxsize=_CONNECTIONS,
            ssl_context=self._target.tls,
            server_hostname=self._target.server_name,
            assert_hostname=None if self._target.verified else False,
        )
        self._manager.pool_classes_by_scheme = _pools(self._dial)

    def send(  # noqa: PLR0917 - what makes a request
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: tuple[float, float],
    ) -> BaseHTTPResponse:
        """Send a request to a path, and return its answer before its body is read; raises what `explained` explains.

        `timeout` is for connecting, and between two parts of the answer, in seconds.
        """
        return self._manager.request(
            method,
            f"{self.server}/{path}" + (f"?{urlencode(query)}" if query else ""),
            headers={**headers, **self._target.headers()},
            body=body,
            timeout=Timeout(connect=timeout[0], read=timeout[1]),
            preload_content=False,
        )

    def connect(self, timeout: float) -> socket.socket:
        """Connect to the server, in TLS where it wants that; raises what `explained` explains."""
        parts = urlsplit(self.server)
        secure = parts.scheme == "https"
        connected = self._dial(parts.hostname or "", parts.port or (443 if secure else 80), timeout)
        if not secure:
            return connected
        try:
            name = self._target.server_name or parts.hostname
            return self._target.tls.wrap_socket(connected, server_hostname=name)
        except BaseException:
            connected.close()
            raise

    def request(self, path: str) -> tuple[str, str, Mapping[str, str]]:
        """Return host, target and headers of a request that is sent on a connection of its own."""
        parts = urlsplit(self.server + path)
        return parts.netloc, urlunsplit(("", "", parts.path, parts.query, "")), self._target.headers()

    def _dialler(self, source: str) -> Dial:
        """Return what connects to the server: through the kubeconfig's proxy, else through the environment's, else straight."""
        if named := self._target.proxy:
            return Proxy.of(named, f"proxy-url in {source}", self._proxy_tls).dial
        found = proxy.of_environment(self._target.server, self._proxy_tls)
        return found.dial if found else dial_straight

    def _proxy_tls(self) -> ssl.SSLContext:
        """Believe a proxy that is spoken to in TLS by the system's authorities, or by the cluster's, as kubectl does."""
        tls = ssl.create_default_context()
        for authority in self._target.tls.get_ca_certs(binary_form=True):
            tls.load_verify_locations(cadata=authority)
        if not self._target.verified:
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        return tls


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
