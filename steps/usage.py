"""What users do as the documentation shows them, and what they see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_bdd import then, when

from steps.vocabulary import OneOf, parser
from support.checks.usage import journey, rest_api
from support.checks.usage import user as usage_checks
from support.checks.usage.user import User

if TYPE_CHECKING:
    from support.checks.usage.journey import Journey
    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.chroma.reachable import Reachable
    from support.network.http import Response
    from support.network.way import Routes, WayName

parse = parser(
    Example=OneOf.itself(usage_checks.EXAMPLES),
    Interface=OneOf.itself(rest_api.INTERFACES),
    Request=OneOf.itself(usage_checks.BY_NAME),
    Way=OneOf({"through the ingress": "ingress", "through the Service": "service"}),
)


@pytest.fixture
def user(live: Reachable, routes: Routes, database: Database) -> User:
    return User(live, routes, database)


@when(parse("a user sends the requests of {interface:Interface} {way:Way}"), target_fixture="seen")
def walk_through(user: User, interface: str, way: WayName) -> Journey:
    return user.walk(interface, way)


@when(parse("a user follows the example of {example:Example} {way:Way}"), target_fixture="seen")
def follow_example(user: User, example: str, way: WayName) -> Journey:
    return user.follow(example, way)


@when(
    parse("a caller tries in {interface:Interface} to {request:Request} by its name"),
    target_fixture="response",
)
def ask_by_name(user: User, collection: Collection, interface: str, request: str) -> Response:
    return user.ask_by_name(interface, request, collection)


@then("every document was stored with its metadata")
def documents_were_kept(seen: Journey) -> None:
    journey.assert_kept(seen)


@then("the nearest documents came first")
def nearest_came_first(seen: Journey) -> None:
    journey.assert_nearest_first(seen)


@then("a filter returned the matching documents and no others")
def filter_was_heeded(seen: Journey) -> None:
    journey.assert_filtered(seen)


@then("the deleted documents were gone")
def deleted_was_gone(seen: Journey) -> None:
    journey.assert_forgotten(seen)
