"""The platform's certificate, of which every release takes a copy: found, judged, and reported when a copy is stale."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.x509 import Certificate

    from support.kube.client import Kube
    from support.kube.objects import Object
    from support.platform.inventory import Inventory

# What a certificate, or its key, is that is none.
_UNREADABLE: Final = (ValueError, TypeError)


@dataclass(frozen=True)
class Source:
    """Where a platform keeps its certificate: `secret` in `namespace`; `wildcard` is the name that it is for."""

    namespace: str
    secret: str
    wildcard: str

    @classmethod
    def of(cls, domain_name: str, namespace: str) -> Source:
        """Return where the certificate of a domain lies; its Secret's name is the platform's rule (docs/platform.md)."""
        return cls(namespace, f"{domain_name.replace('.', '-')}-tls", f"*.{domain_name}")

    def __str__(self) -> str:
        return f"Secret {self.namespace}/{self.secret}"


def platform_certificate(kube: Kube, inventory: Inventory) -> Tls:
    """Return the certificate of the platform's domain and its key.

    Raises `LookupError` when it is not there.
    """
    source = Source.of(inventory.domain_name, inventory.certificate_namespace)
    secret = kube.get("Secret", source.secret, source.namespace)
    if not secret:
        raise LookupError(missing(source))
    tls = unpack(secret)
    if not tls:
        raise LookupError(f"{source} holds no certificate with its key under tls.crt and tls.key")
    return tls


def missing(source: Source) -> str:
    """Say that a platform's certificate is not there."""
    return (
        f"{source} is missing: the platform keeps the certificate of {source.wildcard} there, "
        "and every release takes a copy"
    )


def unpack(secret: Object) -> Tls | None:
    """Return what a Secret of a certificate holds, None when it is not all there."""
    data = secret.get("data") or {}
    try:
        return Tls(base64.b64decode(data["tls.crt"]), base64.b64decode(data["tls.key"]))
    except (KeyError, binascii.Error):
        return None


def flaws(tls: Tls, wildcard: str, now: datetime) -> Iterator[str]:
    """Yield why nobody would believe a certificate that is to be for all hosts of a domain ("*.example.com")."""
    try:
        certificate = _read(tls)
    except _UNREADABLE:
        yield "holds no certificate that can be read"
        return
    if now < certificate.not_valid_before_utc:
        yield f"is not valid before {_day(certificate.not_valid_before_utc)}"
    if now > certificate.not_valid_after_utc:
        yield f"expired on {_day(certificate.not_valid_after_utc)}"
    names = _names(certificate)
    if wildcard.lower() not in names:
        yield f"does not cover {wildcard}, but {', '.join(sorted(names)) or 'no name at all'}"
    if not _fits(tls.key, certificate):
        yield "is not of the key beside it"


def staleness(copy: Object, source: Object) -> str | None:
    """Say how a copied certificate lags behind the platform's, None when it is the same; both are Secrets."""
    ours, theirs = unpack(copy), unpack(source)
    if ours == theirs or not ours or not theirs:
        return None
    return f"the copy of the certificate is stale: it is valid until {_end(ours)}, the platform's until {_end(theirs)}"


def _end(tls: Tls) -> str:
    try:
        return _day(_read(tls).not_valid_after_utc)
    except _UNREADABLE:
        return "nobody can read when"


def _read(tls: Tls) -> Certificate:
    # Few commands look into certificates, and what does so is large.
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 - see above

    return load_pem_x509_certificate(tls.certificate)


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _names(certificate: Certificate) -> set[str]:
    """Return the host names that a certificate is for; clients look at no others."""
    from cryptography import x509  # noqa: PLC0415 - as in _read

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return set()
    return {name.lower() for name in extension.value.get_values_for_type(x509.DNSName)}


def _fits(key: bytes, certificate: Certificate) -> bool:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - as in _read
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    try:
        public = load_pem_private_key(key, None).public_key()
    except _UNREADABLE:
        return False
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    return public.public_bytes(*form) == certificate.public_key().public_bytes(*form)


@dataclass(frozen=True, repr=False)
class Tls:
    """The certificate of the host and its key, both PEM."""

    certificate: bytes
    key: bytes
