"""Keys and certificates of one cluster: an authority for its programs and one for its web addresses.

trustme, which makes the scenarios' certificates, does not do for these: each of its certificates has an O=, which is a
group to Kubernetes, serves clients and servers alike, and its authorities are valid from 2000 to 3000.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cluster import layout
from cluster.node.identities import IDENTITIES, Identity

_PRIVATE = 0o600
# Clocks may be set back a little; and nobody keeps a throw-away cluster for a year.
_EARLIER = dt.timedelta(hours=1)
_LIFETIME = dt.timedelta(days=365)


class Authority:
    """A certificate authority of its own key, EC P-256 like all keys here: made in under a millisecond."""

    def __init__(self, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
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
        self._identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        self.certificate = (
            _builder(subject, subject, self.key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(self._identifier, critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def issue(self, identity: Identity, names: tuple[str, ...] = ()) -> tuple[bytes, bytes]:
        """Sign a certificate; gives it and its key as PEM.

        With names (host names or addresses) it is a server's certificate, without a client's.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        facts = [x509.NameAttribute(NameOID.COMMON_NAME, identity.user)]
        if identity.group:
            facts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, identity.group))
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if names else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            _builder(x509.Name(facts), self.certificate.subject, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self._identifier),
                critical=False,
            )
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general(n) for n in names]), critical=False
            )
        return _pem(builder.sign(self.key, hashes.SHA256())), _key_pem(key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + _LIFETIME)
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_all(directory: Path, address: str) -> None:
    """Write every key and certificate of a cluster whose API server is reached at a loopback address.

    `NAME.crt` and `NAME.key` for each of IDENTITIES, for the servers `apiserver`, `kubelet-server` and
    `web`, and for the authorities `ca` and `web-ca`; `sa.key` and `sa.pub` sign service account tokens.
    """
    authority = Authority("cluster")
    web = Authority("cluster web addresses")
    service = "kubernetes"
    api_names = (
        "localhost",
        address,
        layout.NODE_ADDRESS,
        layout.API_SERVICE_ADDRESS,
        *(service + suffix for suffix in ("", ".default", ".default.svc", ".default.svc.cluster.local")),
    )
    pairs = {name: authority.issue(identity) for name, identity in IDENTITIES.items()}
    pairs["apiserver"] = authority.issue(Identity("kube-apiserver"), api_names)
    pairs["kubelet-server"] = authority.issue(Identity(layout.NODE), (layout.NODE, layout.NODE_ADDRESS))
    pairs["web"] = web.issue(Identity(layout.DOMAIN), (layout.DOMAIN, f"*.{layout.DOMAIN}"))
    pairs["ca"] = _pem(authority.certificate), _key_pem(authority.key)
    pairs["web-ca"] = _pem(web.certificate), _key_pem(web.key)
    for name, (certificate, key) in pairs.items():
        (directory / f"{name}.crt").write_bytes(certificate)
        _write_private(directory / f"{name}.key", key)
    signer = ec.generate_private_key(ec.SECP256R1())
    _write_private(directory / "sa.key", _key_pem(signer))
    (directory / "sa.pub").write_bytes(
        signer.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def _write_private(file: Path, content: bytes) -> None:
    file.touch(mode=_PRIVATE)
    file.write_bytes(content)


if __name__ == "__main__":
    # A process of its own, beside etcd's start: its imports would stay in the node's memory for ever.
    write_all(Path(sys.argv[1]), sys.argv[2])
