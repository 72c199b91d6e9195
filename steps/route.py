"""Releases that a route of the Gateway API exposes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then

from steps.vocabulary import OneOf, parser
from support.checks import route
from support.checks.route import GATEWAYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.checks.route import Platforms
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.release.release import Release

parse = parser(Gateway=OneOf(GATEWAYS))


@given("an empty namespace whose hosts are exposed by a route", target_fixture="here")
def empty_routed_namespace(platforms: Platforms) -> Namespace:
    return platforms.routed()


@given("the release, live behind a route", target_fixture="live")
def release_live_behind_route(routed_namespace: Namespace, release_under_test: Release) -> Live:
    return routed_namespace.ensure_live(release_under_test)


@given(
    "the release, live behind an Ingress of a platform that moves to the Gateway API", target_fixture="here"
)
def release_before_the_move(platforms: Platforms, release_under_test: Release) -> Namespace:
    return platforms.moved(release_under_test)


@given(parse("an empty namespace whose route leads to {change:Gateway}"), target_fixture="here")
def namespace_of_refusing_gateway(platforms: Platforms, change: Callable[..., Namespace]) -> Namespace:
    return change(platforms)


@then("a route exposes it, and no Ingress does")
def route_exposes_it(here: Namespace) -> None:
    route.assert_exposed_by_route(here)
