"""The objects of a release as the cluster holds them, and the names under which neighbours find it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import then, when

from steps.vocabulary import OneOf, parser
from support.checks import objects
from support.checks.access import answers
from support.release.documented import DIFFERENCES, OBJECTS

if TYPE_CHECKING:
    from support.checks.objects import ObservedObject
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.network.http import Response
    from support.network.vantage import Vantage

parse = parser(
    Object=OneOf.itself(OBJECTS),
    Difference=OneOf.itself(DIFFERENCES),
    Name=OneOf(objects.NAMES),
)


@when(parse("an operator looks at the {what:Object}"), target_fixture="look")
def look_at_object(live: Live, what: str) -> ObservedObject:
    return objects.look(live, what)


@when(parse("another pod asks for the heartbeat at {name:Name}"), target_fixture="response")
def ask_under_name(live: Live, vantage: Vantage, deadlines: Deadlines, name: objects.Name) -> Response:
    return objects.ask_for_heartbeat(live, vantage, deadlines, name)


@then("it matches the documentation")
def object_is_as_documented(look: ObservedObject) -> None:
    objects.assert_documented(look)


@then(parse("it differs from the documentation: {difference:Difference}"))
def object_differs(look: ObservedObject, difference: str) -> None:
    objects.assert_different(look, difference)


@then("the other pod gets the heartbeat")
def neighbour_is_given_heartbeat(response: Response) -> None:
    answers.assert_heartbeat(response)
