"""A Chroma that is known by its address alone: what it is, and whether it lets us in."""

from __future__ import annotations

import json
import re
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.request import getproxies_environment, proxy_bypass

from support.chroma.reachable import BEARER_HEADER, Credential, Tenancy
from support.core.component import HEARTBEAT
from support.core.errors import SuiteError
from support.network import http
from support.release import versions

if TYPE_CHECKING:
    from support.chroma.reachable import Headers
    from support.network.http import Response
    from support.network.way import Way

_VERSIONS: Final = ("/api/v2/version", "/api/v1/version")
_BEAT: Final = "nanosecond heartbeat"
# The statuses by which strangers are refused, by a proxy or by Chroma itself.
_REFUSALS: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_OF_TOKENS: Final = (versions.AUTHENTICATION, versions.GATEWAY, versions.NATIVE_AUTHENTICATION)
# The first version whose number no longer tells one from the next (docs/chroma.md).
_UNTOLD: Final = 1


class EndpointError(SuiteError):
    """What is at an address cannot be used; the text says why in a line, and what to do."""


@dataclass(frozen=True)
class Given:
    """Where a user states what lets us in: by these words he is told what to correct.

    `token` is what the token comes from, and `token_place` says where another is given; likewise `header`, `tenancy`, and
    `authority`, by which a certificate comes to be trusted.
    """

    token: str = "CHROMA_TOKEN"  # noqa: S105 - the name of a variable
    token_place: str = "in the environment, in CHROMA_TOKEN"  # noqa: S105 - the same
    header: str = "in CHROMA_TOKEN_HEADER"
    tenancy: str = "with --tenant and --database"
    authority: str = "SSL_CERT_FILE=FILE"


@dataclass(frozen=True)
class Endpoint:
    """A Chroma by its address, with what was found out about it.

    `version` is what it says of itself; of 1.x it says no more than that, and `deployed_version` is what is known of it
    otherwise. `native`: it asks for the token itself. `open`: anybody may use it, with a token or without. `refused_with`
    is the status that a stranger was given.
    """

    way: Way
    credential: Credential
    tenancy: Tenancy
    version: str
    open: bool
    native: bool
    refused_with: int
    deployed_version: str = ""

    def __str__(self) -> str:
        return f"the Chroma at {self.way} ({self.told_version})"

    @property
    def told_version(self) -> str:
        """Its version, as far as it tells it."""
        known = versions.number(_tag(self.version))
        if self.deployed_version:
            return self.deployed_version
        return "1.x" if known and known[0] >= _UNTOLD else self.version

    @property
    def lasting(self) -> bool:
        """It was there before the scenario."""
        return True

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do: what is not known of its version is not claimed.

        What asks for the token before it is held to what the documented gateway promises where the header is that
        gateway's; of another proxy no more is promised than that it refuses.
        """
        of_version = frozenset.intersection(
            *(one.capabilities for one in versions.candidates(_tag(self.version)))
        )
        if self.open:
            return of_version
        if self.native:
            return of_version | {versions.AUTHENTICATION, versions.NATIVE_AUTHENTICATION}
        if self._is_bearers:
            return of_version | {versions.AUTHENTICATION}
        return of_version | {versions.AUTHENTICATION, versions.GATEWAY}

    def lacks(self, capability: str) -> str:
        """Say that it cannot do something, in a line."""
        if self.open and capability in _OF_TOKENS:
            return "it asks for no token"
        return f"Chroma {self.told_version} at this address has not got {versions.MEANINGS[capability]}"

    @property
    def refusal(self) -> int:
        """The HTTP status by which it has to refuse a stranger."""
        known = versions.facts(_tag(self.version))
        if self.native and known and known.authentication:
            return known.authentication.refusal
        if self._is_bearers and self.refused_with in _REFUSALS:
            return self.refused_with
        return HTTPStatus.UNAUTHORIZED

    @property
    def open_paths(self) -> frozenset[str]:
        """The paths that it answers without a token, as far as its version is known."""
        known = versions.facts(_tag(self.version))
        return known.open if known and self.native else frozenset()

    @property
    def insecurity(self) -> str:
        """Why nobody should run it like this; empty where it asks for a token."""
        if not self.open:
            return ""
        return (
            f"{self.way} answers without a token: all who reach it may read, change and delete everything; "
            "put what asks for one in front of it, or concede it with --without authentication"
        )

    @property
    def _is_bearers(self) -> bool:
        return self.credential.header.lower() == BEARER_HEADER.lower()


def find(way: Way, credential: Credential, tenancy: Tenancy, given: Given = Given()) -> Endpoint:
    """Ask what is at an address what it is, and whether it lets us in; raises `EndpointError`."""
    return _Inquiry(way, credential, tenancy, given).endpoint()


@dataclass(frozen=True)
class _Inquiry:
    """Asks what is at an address; each method raises `EndpointError`."""

    way: Way
    credential: Credential
    tenancy: Tenancy
    given: Given

    def endpoint(self) -> Endpoint:
        """Return what is there, once it has let us in."""
        version = self._version()
        self._insist_on_heartbeat()
        self._insist_on_being_let_in()
        stranger = self._ask(self.tenancy.collections, [])
        return Endpoint(
            self.way,
            self.credential,
            self.tenancy,
            version,
            open=stranger.status == HTTPStatus.OK,
            # A gateway refuses strangers this as well, Chroma itself does not.
            native=_has_own(version) and self._ask(_VERSIONS[0], []).status == HTTPStatus.OK,
            refused_with=stranger.status,
        )

    def _version(self) -> str:
        """Return what it says of its version."""
        for path in _VERSIONS:
            answer = self._ask(path, self.credential.headers)
            if answer.status in _REFUSALS:
                raise self._refused(answer)
            if answer.status == HTTPStatus.OK and (found := _text(answer)):
                if path == _VERSIONS[0]:
                    return found
                raise EndpointError(
                    f"{self.way} is Chroma {found}, which has no version 2 of the interface (/api/v2): "
                    "the scenarios need 0.5.23 or later"
                )
        raise self._no_chroma(answer)

    def _insist_on_heartbeat(self) -> None:
        answer = self._ask(HEARTBEAT, self.credential.headers)
        if answer.status != HTTPStatus.OK or _BEAT not in answer.body.decode("utf-8", "replace"):
            raise self._no_chroma(answer)

    def _insist_on_being_let_in(self) -> None:
        answer = self._ask(self.tenancy.collections, self.credential.headers)
        if answer.status in _REFUSALS:
            raise self._refused(answer)
        if answer.status == HTTPStatus.NOT_FOUND:
            raise EndpointError(
                f"{self.way} has no database {self.tenancy.database!r} of a tenant {self.tenancy.tenant!r}: "
                f"name those that it has {self.given.tenancy}"
            )
        if answer.status != HTTPStatus.OK:
            raise EndpointError(
                f"{self.way} does not list its collections: {answer}; see to it that it is well"
            )

    def _ask(self, path: str, headers: Headers) -> Response:
        try:
            return http.ask(self.way, "GET", path, headers)
        except http.NoResponse as error:
            raise EndpointError(self._why_silent(error)) from error

    def _why_silent(self, error: http.NoResponse) -> str:
        """Say in a line why nothing came, and what to do."""
        way, cause = self.way, error.__cause__
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the certificate of {way} is not trusted: {cause.verify_message}; "
                f"{self.given.authority} names the authority that has signed it"
            )
        if way.tls and isinstance(cause, ssl.SSLError | ConnectionResetError):
            return f"{way} does not speak TLS ({cause.strerror or cause}): is it http://?"
        if isinstance(cause, OSError):
            return (
                f"nothing answers at {way}: {cause.strerror or cause}; start Chroma there, or give another address"
                f"{_passed_over(way)}"
            )
        return f"what is at {way} does not speak HTTP: {cause}; is it https://, or another port?"

    def _refused(self, answer: Response) -> EndpointError:
        header, given = self.credential.header, self.given
        if self.credential.headers:
            return EndpointError(
                f"{self.way} refuses the token of {given.token} in the header {header} ({answer.status}): "
                f"give the right one, and the name of its header {given.header}"
            )
        return EndpointError(
            f"{self.way} asks for a token ({answer.status}): give it {given.token_place}, and the name of its header "
            f"{given.header} unless that is {header.lower()}"
        )

    def _no_chroma(self, answer: Response) -> EndpointError:
        said = " ".join(answer.body[:80].decode("utf-8", "replace").split())
        seen = f"{answer.path} gives {answer.status} {said}"
        return EndpointError(f"what is at {self.way} is not Chroma: {seen.rstrip()}; give the address of one")


def _passed_over(way: Way) -> str:
    """Say that the environment names a proxy for a way, which is not taken; "" where it names none."""
    scheme = "https" if way.tls else "http"
    proxies = getproxies_environment()
    if not (proxies.get(scheme) or proxies.get("all")) or proxy_bypass(way.host):
        return ""
    return f" (it is asked straight: the proxy of {scheme}_proxy in the environment is not taken)"


def _text(answer: Response) -> str:
    """Return the version number that an answer holds, empty where it holds none."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        return ""
    return said if isinstance(said, str) and re.fullmatch(r"\d+\.\d+\.\d+\S*", said) else ""


def _has_own(version: str) -> bool:
    """Whether a version can ask for a token itself."""
    known = versions.facts(_tag(version))
    return bool(known and known.authentication)


def _tag(version: str) -> str:
    return f"chroma:{version}"
