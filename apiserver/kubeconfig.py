"""Reads a kubeconfig as kubectl does: who is asked, whom to believe, and as whom."""

from __future__ import annotations

import base64
import binascii
import ssl
from dataclasses import dataclass
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, Final

import yaml

from apiserver.errors import UnusableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

# Of impersonation: what goes into a header, and what would need one several times.
_IMPERSONATED: Final = {"as": "Impersonate-User", "as-uid": "Impersonate-Uid"}
_NOT_IMPERSONATED: Final = ("as-groups", "as-user-extra")
# Users whose credentials are issued by something else; the kubernetes client knows how each is asked.
_ISSUERS: Final = ("exec", "auth-provider")


class _WrongError(Exception):
    """What is wrong with a kubeconfig; the text quotes nothing that may be a credential."""


@dataclass(frozen=True)
class Target:
    """What one context of a kubeconfig says; `headers` gives those of credentials, renewed where they have run out."""

    server: str
    server_name: str | None
    proxy: str | None
    verified: bool
    tls: ssl.SSLContext
    headers: Callable[[], Mapping[str, str]]


def read(kubeconfig: Path, context: str | None) -> Target:
    """Read one context (None: the file's current one); raises `UnusableError`."""
    try:
        return _target(kubeconfig, context)
    except _WrongError as error:
        why = str(error)
    except yaml.YAMLError:
        why = "it is not YAML"
    except (
        OSError
    ) as error:  # errors of TLS among them; a name of a file may be a credential at the wrong place
        why = getattr(error, "reason", None) or error.strerror or type(error).__name__
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        why = f"it is not written as a kubeconfig is ({type(error).__name__})"
    raise UnusableError(f"{kubeconfig} does not lead to a cluster: {' '.join(why.split())}") from None


def _target(kubeconfig: Path, context: str | None) -> Target:
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    if not isinstance(config, dict):
        raise _WrongError("it is empty")
    name = context or config.get("current-context")
    if not name:
        raise _WrongError("it has no current-context")
    chosen = _named(config, "contexts", name)["context"]
    cluster = _named(config, "clusters", chosen["cluster"])["cluster"]
    users = {one["name"]: one.get("user") or {} for one in config.get("users") or ()}
    user: dict[str, Any] = users.get(chosen.get("user"), {})
    server = str(cluster["server"]).rstrip("/") if cluster.get("server") else ""
    if not server:
        raise _WrongError(f"its cluster {chosen['cluster']} has no server")
    acting = dict(_impersonation(kubeconfig, user))
    base = kubeconfig.parent
    tls = ssl.create_default_context(cadata=_authority(cluster, base))
    if any(user.get(issuer) for issuer in _ISSUERS):
        # The client is large and imported for it alone: a second of every start.
        from apiserver.issued import issued  # noqa: PLC0415 - see above

        authorization = issued(kubeconfig, context, tls)
    else:
        authorization = _authorization(user, base)
    if server.startswith("https"):
        _present_certificate(tls, user, base)
    verified = not cluster.get("insecure-skip-tls-verify")
    if not verified:
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE

    def headers() -> Mapping[str, str]:
        shown = authorization()
        return acting | ({"Authorization": shown} if shown else {})

    return Target(
        server,
        cluster.get("tls-server-name") or None,
        cluster.get("proxy-url") or None,
        verified,
        tls,
        headers,
    )


def _named(config: Mapping[str, Any], kind: str, name: str) -> Any:
    found = [one for one in config.get(kind) or () if one["name"] == name]
    if len(found) != 1:
        raise _WrongError(f"it has {'no' if not found else 'several'} {name} among its {kind}")
    return found[0]


def _impersonation(kubeconfig: Path, user: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the headers by which a user acts as another."""
    for field in _NOT_IMPERSONATED:
        if user.get(field):
            raise UnusableError(
                f"{kubeconfig} asks for {field}, which is not supported: name a user without it"
            )
    for field, header in _IMPERSONATED.items():
        if user.get(field):
            yield header, str(user[field])


def _authorization(user: Mapping[str, Any], base: Path) -> Callable[[], str]:
    """Return what gives the value of the header, "" where none is sent; a file with a token is read again each time."""
    if token := user.get("token"):
        return lambda: f"Bearer {token}"
    if file := user.get("tokenFile"):
        _content(base, file, "tokenFile")  # what cannot be read is said at once
        return lambda: f"Bearer {_content(base, file, 'tokenFile').decode('utf-8').strip()}"
    if "username" in user and "password" in user:
        pair = f"{user['username']}:{user['password']}".encode()
        basic = f"Basic {base64.b64encode(pair).decode('ascii')}"
        return lambda: basic
    return lambda: ""


def _data(given: Mapping[str, Any], name: str, base: Path) -> bytes | None:
    """Return what stands in a kubeconfig by itself, in base64, or in a file that it names."""
    if written := given.get(f"{name}-data"):
        try:
            return base64.b64decode(written, validate=False)
        except (binascii.Error, ValueError):
            raise _WrongError(f"{name}-data is not base64") from None
    return _content(base, given[name], name) if given.get(name) else None


def _content(base: Path, file: str, name: str) -> bytes:
    try:
        return (base / file).read_bytes()
    except OSError as error:
        raise _WrongError(f"the file of its {name} cannot be read ({error.strerror})") from None


def _authority(cluster: Mapping[str, Any], base: Path) -> str | None:
    found = _data(cluster, "certificate-authority", base)
    return None if found is None else found.decode("ascii")


def _present_certificate(tls: ssl.SSLContext, user: Mapping[str, Any], base: Path) -> None:
    """Show the certificate of a user who has one."""
    certificate, key = _data(user, "client-certificate", base), _data(user, "client-key", base)
    if certificate is None and key is None:
        return
    if not certificate or not key:
        raise _WrongError("of client-certificate and client-key it has one alone")
    # A context takes them from files alone: these are for their owner, and as long as that takes.
    with NamedTemporaryFile() as shown, NamedTemporaryFile() as secret:
        shown.write(certificate)
        secret.write(key)
        shown.flush()
        secret.flush()
        tls.load_cert_chain(shown.name, secret.name, password="")  # nobody is asked for one
