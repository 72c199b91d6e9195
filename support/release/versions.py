"""What is known of Chroma's versions: measured by running their servers, or read in their source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.core.component import TOKEN_HEADER

if TYPE_CHECKING:
    from collections.abc import Mapping

# How the tag of an image ends whose Chroma keeps what it has acknowledged.
_KEPT: Final = "-kept"

Number = tuple[int, ...]

# What no release need have; scenarios that cannot do without one carry its tag, "needs-" and the name.
AUTHENTICATION: Final = "authentication"
GATEWAY: Final = "gateway"
INTEGRITY: Final = "integrity"
NATIVE_AUTHENTICATION: Final = "native-authentication"
API_V1: Final = "api-v1"
TELEMETRY: Final = "telemetry"
CONFIGURATION: Final = "collection-configuration"
DATABASE_DELETION: Final = "database-deletion"
DATABASE_LIST: Final = "database-list"
ID_REUSE: Final = "id-reuse"
MERGING: Final = "merging-upserts"
VALIDATION: Final = "server-validation"
LITERAL: Final = "literal-document-filters"
THOROUGH: Final = "thorough-index"
LATER: Final = "later-version"

# Why a scenario that needs one is skipped.
MEANINGS: Final[Mapping[str, str]] = {
    AUTHENTICATION: "anything that asks for the token",
    GATEWAY: "a gateway in front of Chroma that asks for the token",
    INTEGRITY: "a look at its volume before each start, which mends what a kill has torn",
    NATIVE_AUTHENTICATION: "a Chroma that asks for the token itself",
    API_V1: "version 1 of the interface",
    TELEMETRY: "a telemetry that would have to be switched off",
    CONFIGURATION: "collections that are configured otherwise than by their metadata",
    DATABASE_DELETION: "databases that can be deleted",
    DATABASE_LIST: "databases that can be listed",
    ID_REUSE: "ids that can be given again once their records are deleted",
    MERGING: "upserts that keep what they do not name",
    VALIDATION: "a server that refuses by itself what makes no sense",
    LITERAL: "filters on documents that take every sign and case as it stands",
    LATER: "a later version of Chroma among the releases, which can take over its data",
    THOROUGH: "an index that compares 100 candidates by default",
}


@dataclass(frozen=True)
class Authentication:
    """How a version is configured to ask for a token: names of variables, and the values that it understands.

    `header` is how the documented header has to be spelled; `refusal` the status that a stranger is given.
    """

    provider: str
    provider_value: str
    credentials: str
    header_variable: str
    header: str
    refusal: int


@dataclass(frozen=True)
class Facts:
    """What is known of the versions from `first` to `last`, both included.

    `api` are the versions of the interface that answer. `data` is where records are kept, `data_variable` what moves
    it. `telemetry` is the variable that, set to FALSE, keeps it from telling its makers of its use; None where it
    tells them nothing. `open` are the paths that answer without a token wherever it asks for one. `capabilities` are
    what it can do and others cannot.
    """

    first: Number
    last: Number
    authentication: Authentication | None
    api: tuple[str, ...]
    data: str
    data_variable: str | None
    telemetry: str | None
    open: frozenset[str]
    capabilities: frozenset[str]

    def __str__(self) -> str:
        first, last = (".".join(map(str, number)) for number in (self.first, self.last))
        return (
            first if first == last else f"{first} and later" if self.last >= _NO_END else f"{first} to {last}"
        )


_NO_END: Final = (9999,)

_OLD_NAMES: Final = Authentication(
    provider="CHROMA_SERVER_AUTH_PROVIDER",
    provider_value="chromadb.auth.token.TokenAuthServerProvider",
    credentials="CHROMA_SERVER_AUTH_CREDENTIALS",
    header_variable="CHROMA_SERVER_AUTH_TOKEN_TRANSPORT_HEADER",
    header="X_CHROMA_TOKEN",
    refusal=401,
)


def _new_names(header: str) -> Authentication:
    return Authentication(
        provider="CHROMA_SERVER_AUTHN_PROVIDER",
        provider_value="chromadb.auth.token_authn.TokenAuthenticationServerProvider",
        credentials="CHROMA_SERVER_AUTHN_CREDENTIALS",
        header_variable="CHROMA_AUTH_TOKEN_TRANSPORT_HEADER",
        header=header,
        refusal=403,
    )


def _open_paths(*api: str) -> frozenset[str]:
    below = ("", "/heartbeat", "/version", "/pre-flight-checks")
    return frozenset({"/docs", "/openapi.json", *(f"/api/{one}{path}" for one in api for path in below)})


def _python(
    first: Number, last: Number, authentication: Authentication, api: tuple[str, ...], *capabilities: str
) -> Facts:
    """Return what is known of a version whose server is written in Python."""
    return Facts(
        first,
        last,
        authentication,
        api,
        data="/chroma/chroma",
        data_variable="PERSIST_DIRECTORY",
        telemetry="ANONYMIZED_TELEMETRY",
        open=_open_paths(*api),
        capabilities=frozenset({TELEMETRY, *capabilities}),
    )


_CURRENT: Final = frozenset(
    {CONFIGURATION, DATABASE_DELETION, DATABASE_LIST, ID_REUSE, MERGING, VALIDATION, LITERAL, THOROUGH}
)

# Only what was measured or read; between two of them nothing is claimed.
KNOWN: Final = (
    _python((0, 4, 8), (0, 4, 24), _OLD_NAMES, ("v1",), API_V1),
    _python((0, 5, 0), (0, 5, 0), _new_names("X_CHROMA_TOKEN"), ("v1",), API_V1),
    _python((0, 5, 1), (0, 5, 5), _new_names(TOKEN_HEADER), ("v1",), API_V1),
    _python((0, 5, 23), (0, 6, 0), _new_names(TOKEN_HEADER), ("v1", "v2"), API_V1, LATER),
    # Its route to the collections of version 1 is broken (400, a coroutine that nobody awaited).
    _python((0, 6, 3), (0, 6, 3), _new_names(TOKEN_HEADER), ("v1", "v2")),
    # Written in Rust: no authentication, no telemetry, and no word about variables that it ignores.
    Facts(
        first=(1, 0, 0),
        last=_NO_END,
        authentication=None,
        api=("v2",),
        data="/data",
        data_variable=None,
        telemetry=None,
        open=frozenset(),
        capabilities=_CURRENT,
    ),
)


def keeps(image: str) -> bool:
    """Whether an image looks at the volume before each start of Chroma (manifests/images/chroma-kept.yaml)."""
    return number(image) is not None and image.endswith(_KEPT)


def number(image: str) -> Number | None:
    """Return the version that an image's tag names ("1.5.9", "1.5.9-kept"), None where it names none ("latest")."""
    found = re.search(rf":v?(\d+)\.(\d+)\.(\d+)(?:{_KEPT})?$", image)
    return tuple(map(int, found.groups())) if found else None


def facts(image: str) -> Facts | None:
    """Return what is known of an image's version, None where that is nothing."""
    version = number(image)
    return next((one for one in KNOWN if version and one.first <= version <= one.last), None)


def candidates(image: str) -> tuple[Facts, ...]:
    """Return what may be true of an image: of its version, or where that is not known, of any."""
    known = facts(image)
    return (known,) if known else KNOWN
