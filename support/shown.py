"""Holds what is shown of a live release against the release itself."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from support import http
from support.chroma import DEFAULT_DATABASE, TENANT
from support.display import COLLECTION
from support.outcomes import Outcome, expect, outcome
from support.ways import Way, ingress, trust

if TYPE_CHECKING:
    from support.display import Display
    from support.namespace import Live
    from support.vantage import Vantage

# All that Chroma ever had.
_INTERFACES: Final = ("v1", "v2")
_COLLECTIONS: Final = f"/api/v2/tenants/{TENANT}/databases/{DEFAULT_DATABASE}/collections"


def assert_addresses_answer(live: Live, shown: Display, vantage: Vantage) -> None:
    """Assert that a release gives whoever shows the token its collections, at each address that is shown."""
    outside, inside = urlsplit(shown.outside), urlsplit(shown.inside)
    host, port = vantage.tunnel(str(inside.hostname), inside.port or 80).address
    ways = (
        ingress(str(outside.hostname), live.inventory),
        Way("service", f"http://{host}:{port}", trust(None)),
    )
    for way in ways:
        expect(Outcome.ACCEPTED, http.ask(way, "GET", _COLLECTIONS, _token(live, shown)))


def assert_interfaces_answer(live: Live, shown: Display) -> None:
    """Assert that the versions of the interface that are shown answer, and no others."""
    way = ingress(live.host, live.inventory)
    replies = {one: http.ask(way, "GET", f"/api/{one}/heartbeat", _token(live, shown)) for one in _INTERFACES}
    answering = {one for one, reply in replies.items() if outcome(reply) is Outcome.ACCEPTED}
    assert answering == set(shown.interfaces), (
        f"promised: the versions of the interface are {', '.join(shown.interfaces)}\n"
        f"seen:     {'; '.join(map(str, replies.values()))}"
    )


def assert_token_is_not_shown(live: Live, shown: Display) -> None:
    """Assert that the token stands nowhere in what is shown."""
    assert live.token.get_secret_value() not in "\n".join(shown.lines()), "the token itself is shown"


def assert_secret_holds_token(live: Live, shown: Display) -> None:
    """Assert that the Secret that is shown holds the token that opens the release."""
    namespace, name, key = shown.secret
    secret = live.kube.get("Secret", name, namespace)
    held = base64.b64decode((secret or {}).get("data", {}).get(key, ""))
    assert held.decode("utf-8", "replace") == live.token.get_secret_value(), (
        f"promised: Secret {namespace}/{name} holds the token under {key}\n"
        f"seen:     {'another value' if held else 'nothing'} there"
    )


def assert_nothing_is_left(live: Live, shown: Display) -> None:
    """Assert that the collection of the examples is gone."""
    way = ingress(live.host, live.inventory)
    listed = expect(Outcome.ACCEPTED, http.ask(way, "GET", _COLLECTIONS, _token(live, shown))).json()
    names = [one["name"] for one in listed]
    assert COLLECTION not in names, f"promised: {COLLECTION} is gone\nseen:     the collections {names}"


def _token(live: Live, shown: Display) -> list[tuple[str, str]]:
    return [(shown.header, live.token.get_secret_value())]
