"""What a release makes of the tokens that are known, and whether it lives as far as can be seen without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.core.component import AUTH_KEY, AUTH_SECRET, COLLECTIONS, TOKEN_HEADER
from support.deploy.liveness import NeverWill, NotYet
from support.network import http
from support.network.way import ingress

if TYPE_CHECKING:
    from pydantic import SecretStr

    from support.deploy.namespace import Namespace

ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"
_REFUSALS: Final = {401, 403}


def judged(namespace: Namespace, token: SecretStr) -> str:
    """Return what the release makes of a token; unknown where it does not answer."""
    headers = [(TOKEN_HEADER, token.get_secret_value())]
    try:
        answer = http.ask(ingress(namespace.host, namespace.inventory), "GET", COLLECTIONS, headers)
    except http.NoResponse:
        return UNKNOWN
    if answer.status in _REFUSALS:
        return REFUSED
    return ACCEPTED if answer.status == 200 else UNKNOWN


def lives_behind(namespace: Namespace) -> bool:
    """Whether the release lives as far as can be seen without a token, and refuses the one that it was deployed with.

    Its heartbeat advances, and strangers are refused. Whether it keeps what is written is not seen.
    """
    recalled = namespace.recalled()
    if recalled is None or judged(namespace, recalled.token) != REFUSED:
        return False
    try:
        with namespace.health_check(recalled) as health_check:
            return health_check.heartbeat_advances() and health_check.rejects_anonymous()
    except (NotYet, NeverWill):
        return False


def remedy(namespace: Namespace) -> str:
    """Return how to get the token that the release takes."""
    return (
        f"export the one that it takes: ADMIN_PASSWORD=$(kubectl -n {namespace.name} get secret {AUTH_SECRET} "
        f"-o jsonpath='{{.data.{AUTH_KEY}}}' | base64 -d); or give it yours with --apply"
    )
