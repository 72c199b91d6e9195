"""What callers show and ask on the ways in, and what they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from pytest_bdd import parsers, then, when

from steps.words import OneOf
from support import access, doors, refusals
from support.access import Caller
from support.ways import WAY_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.access import Question, Replies
    from support.chroma import Collection, Database
    from support.http import Reply
    from support.namespace import Live
    from support.vantage import Vantage
    from support.ways import WayName

    Ways = tuple[WayName, ...]

_WAYS: Final[Mapping[str, Ways]] = {
    "on every way in": WAY_NAMES,
    "through the ingress": ("ingress",),
    "through the Service": ("service",),
    "straight at the pod": ("pod",),
    "through the Service and straight at the pod": ("service", "pod"),
}


_TYPES: Final = {
    "Ways": OneOf(_WAYS),
    "Credentials": OneOf.itself(access.CREDENTIALS),
    "Lookalike": OneOf(access.LOOKALIKES),
    "Write": OneOf(access.WRITES),
}


def parse(text: str) -> parsers.parse:
    """Parse a step with the types of this module."""
    return parsers.parse(text, _TYPES)


@pytest.fixture
def caller(live: Live, vantage: Vantage) -> Caller:
    return Caller(live, vantage)


@when(
    parse("a caller asks for the collections {ways:Ways} {credentials:Credentials}"),
    target_fixture="replies",
)
def ask_for_collections(caller: Caller, ways: Ways, credentials: str) -> Replies:
    return caller.ask(ways, credentials, access.LIST)


@when(
    parse("a caller asks {ways:Ways} with the right token, and again without it on the same connection"),
    target_fixture="replies",
)
def ask_again_without_token(caller: Caller, ways: Ways) -> Replies:
    return caller.ask_again_without_token(ways)


@when(
    parse("a caller tries to {write:Write} {ways:Ways} {credentials:Credentials}"),
    target_fixture="replies",
)
def try_to_change(
    caller: Caller,
    collection: Collection,
    write: Callable[[Collection], Question],
    ways: Ways,
    credentials: str,
) -> Replies:
    return caller.ask(ways, credentials, write(collection))


@when(
    parse("a caller asks for everything that the release offers {ways:Ways} {credentials:Credentials}"),
    target_fixture="replies",
)
def ask_for_everything(caller: Caller, ways: Ways, credentials: str) -> Replies:
    return caller.ask_for_everything(ways, credentials)


@when(
    parse("a caller asks for the heartbeat with {lookalike:Lookalike} {ways:Ways} {credentials:Credentials}"),
    target_fixture="replies",
)
def ask_for_lookalike(caller: Caller, lookalike: Question, ways: Ways, credentials: str) -> Replies:
    return caller.ask(ways, credentials, lookalike)


@when(parse("a caller tempts the release to repeat the token {ways:Ways}"), target_fixture="replies")
def tempt_to_repeat_token(caller: Caller, ways: Ways) -> Replies:
    return caller.tempt(ways)


@when("a neighbour knocks at the doors of the pod", target_fixture="pod_doors")
def knock_at_doors(live: Live, vantage: Vantage) -> doors.Doors:
    return doors.knock(live, vantage)


@when("a caller asks for the heartbeat over plain http", target_fixture="reply")
def ask_in_clear(caller: Caller) -> Reply:
    return caller.ask_in_clear(access.BEAT)


@when("a caller asks the ingress who it is", target_fixture="identity")
def ask_for_identity(live: Live) -> doors.Identity:
    return doors.identity(live)


@then(parse("the caller is refused {ways:Ways}"))
def caller_is_refused(replies: Replies, ways: Ways, live: Live) -> None:
    refusals.assert_refused(replies, ways, live.release.refusal)


@then(parse("the caller is given the collections {ways:Ways}"))
def caller_is_given_collections(replies: Replies, ways: Ways) -> None:
    refusals.assert_listed(replies, ways)


@then(parse("the caller is given the heartbeat alone {ways:Ways}"))
def caller_is_given_heartbeat_alone(replies: Replies, ways: Ways) -> None:
    refusals.assert_heartbeat_alone(replies, ways)


@then(parse("the caller is given what its version leaves open and no more {ways:Ways}"))
def caller_is_given_what_is_open(replies: Replies, ways: Ways, live: Live) -> None:
    refusals.assert_open_alone(replies, ways, live.release.open_paths)


@then(parse("the caller is given no more than the heartbeat {ways:Ways}"))
def caller_is_given_no_more_than_heartbeat(replies: Replies, ways: Ways) -> None:
    refusals.assert_no_more_than_heartbeat(replies, ways)


@then("no other collection is beside it")
def collection_is_alone(database: Database, collection: Collection) -> None:
    access.assert_alone(database, collection)


@then("the gateway answers and Chroma itself does not")
def gateway_is_only_door(pod_doors: doors.Doors) -> None:
    doors.assert_gateway_alone_is_open(pod_doors)


@then("the caller is sent to the same address over https")
def caller_is_sent_to_https(reply: Reply, live: Live) -> None:
    refusals.assert_sent_to_https(reply, live.host, access.BEAT.path)


@then("its certificate is the host's, from an authority that is trusted")
def certificate_is_hosts(identity: doors.Identity) -> None:
    doors.assert_identity_is_proven(identity)


@then("no answer holds the token")
def no_answer_holds_token(replies: Replies, live: Live) -> None:
    refusals.assert_token_unspoken(replies, live.token)
