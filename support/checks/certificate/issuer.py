"""A platform of a scenario's own, that issues the certificate of which a release takes its copy, and renews it."""

from __future__ import annotations

import hashlib
import socket
from functools import partial
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from trustme import CA

from support.checks.certificate.authority import issue
from support.checks.inventory import secret_of
from support.core.promises import PromiseBroken
from support.core.resolver import map_host
from support.core.wait import kept, wait_for
from support.kube import probe
from support.network.way import ingress
from support.platform.certificate import Source

if TYPE_CHECKING:
    from pathlib import Path

    from support.checks.plan import PlannedLook
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.results import Rollout
    from support.kube.client import Kube
    from support.platform.inventory import Inventory


class Issuer:
    """Keeps a wildcard certificate in a namespace that stands for the platform's; `inventory` leads to it.

    Its domain lies below the platform's: an ingress that knew two certificates for one name might show either.
    """

    def __init__(
        self, kube: Kube, inventory: Inventory, namespace: str, run_id: str, directory: Path
    ) -> None:
        self._kube = kube
        self._authority = CA()
        bundle = directory / "authority.pem"
        self._authority.cert_pem.write_to_path(bundle)
        domain = f"{namespace}.{inventory.domain_name}"
        self._source = Source.of(domain, namespace)
        self.inventory = inventory.model_copy(
            update={
                "domain_name": domain,
                "certificate_namespace": namespace,
                "ca_bundle": bundle,
                # The platform's resolver knows no name so deep.
                "ingress_address": inventory.ingress_address
                or socket.gethostbyname(f"chroma.{inventory.domain_name}"),
            }
        )
        kube.apply(probe.namespace(namespace, run_id))
        self.renew()

    def renew(self) -> str:
        """Issue a certificate in the place of the one before; return its fingerprint."""
        tls = issue(self._authority, self._source.wildcard)
        self._kube.apply(secret_of(tls, self._source))
        certificate = x509.load_pem_x509_certificate(tls.certificate)
        return _fingerprint(certificate.public_bytes(Encoding.DER))


def assert_presented(live: Live, promised: str, deadlines: Deadlines) -> None:
    """Assert that the ingress comes to present the certificate of a fingerprint, and that it is to be believed."""
    host, address = live.host, live.inventory.ingress_address or ""
    with map_host(host, address):
        wait_for(
            lambda: _presented(live) == promised,
            deadlines.answering,
            partial("the renewed certificate is not presented by the ingress for {}".format, host),
        )


def assert_only_copy_changed(rollout: Rollout) -> None:
    """Assert that an apply changed the copy of the certificate, and nothing else but the record of the release."""
    promised = {"Secret chroma-last-live", "Secret chroma-tls-secret"}
    if set(rollout.changed) != promised:
        raise PromiseBroken(promised, f"{rollout.changed}, {rollout}")


def assert_names_stale_certificate(look: PlannedLook) -> None:
    """Assert that a plan says that the copy of the certificate is stale."""
    said = "the copy of the certificate is stale: it is valid until "
    if said not in str(look):
        raise PromiseBroken(f"the plan says {said!r}…", f"a plan that does not say so:\n{look}")


def _presented(live: Live) -> str:
    way = ingress(live.host, live.inventory)
    with (
        socket.create_connection((way.host, way.port), kept().question) as plain,
        way.verify.wrap_socket(plain, server_hostname=way.host) as spoken,
    ):
        return _fingerprint(spoken.getpeercert(binary_form=True) or b"")


def _fingerprint(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()
