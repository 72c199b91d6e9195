# mypy: untyped-calls-exclude=kubernetes
"""Credentials that a program or an issuer gives for a user of a kubeconfig; the only importer of the kubernetes client."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from kubernetes.client.configuration import Configuration
from kubernetes.config import load_kube_config
from kubernetes.config.config_exception import ConfigException

from apiserver.errors import UnusableError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path


def issued(kubeconfig: Path, context: str | None, tls: ssl.SSLContext) -> Callable[[], str]:
    """Return what gives the value of the header Authorization, "" where none was issued; a certificate is put into `tls`.

    Raises `UnusableError`.
    """
    configuration = Configuration()
    with TemporaryDirectory() as scratch:
        try:
            load_kube_config(str(kubeconfig), context, configuration, temp_file_path=scratch)
            if configuration.cert_file:
                tls.load_cert_chain(configuration.cert_file, configuration.key_file)
        except (ConfigException, OSError, ValueError, TypeError, KeyError) as error:
            # Behind these words the reader's errors quote what the file holds, credentials too.
            why = " ".join(str(error).partition(" in ")[0].split())
            raise UnusableError(f"{kubeconfig} does not lead to a cluster: {why}") from None

    def shown() -> str:
        return str(configuration.get_api_key_with_prefix("BearerToken", alias="authorization") or "")

    return shown
