"""A certificate authority of a scenario's own, for the platforms that it makes up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from support.platform.certificate import Tls

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """When a certificate is valid, in days from now."""

    begin: int
    end: int


NOW: Final = Span(-1, 30)
PAST: Final = Span(-30, -1)
FUTURE: Final = Span(1, 30)


class Authority:
    """Signs certificates; whoever trusts `certificate` (PEM) believes them."""

    def __init__(self, name: str) -> None:
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        signed = (
            self._builder(self._name, self._key, NOW)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(self._identifier, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = signed.public_bytes(Encoding.PEM)

    def issue(self, host: str, span: Span = NOW) -> Tls:
        """Return a certificate for a host, or a wildcard of hosts, with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        signer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self._identifier)
        signed = (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]), key, span)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(signer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        kept = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Tls(signed.public_bytes(Encoding.PEM), kept)

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, span: Span
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + span.begin * _DAY)
            .not_valid_after(now + span.end * _DAY)
        )
