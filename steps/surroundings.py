"""What others put into a cluster around a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, when

from steps.vocabulary import OneOf, parser
from support.checks import surroundings
from support.checks.surroundings import SIDECARS

if TYPE_CHECKING:
    from contextlib import ExitStack

    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout
    from support.kube.client import Kube
    from support.kube.objects import Objects
    from support.release.release import Release

parse = parser(Sidecar=OneOf.itself(SIDECARS))


@given("a webhook for its Ingresses and routes that never answers")
def silent_webhook(platform_kube: Kube, here: Namespace, neighbourhood: ExitStack, run_id: str) -> None:
    neighbourhood.enter_context(surroundings.silent_webhook(platform_kube, here, run_id))


@given(parse("the release, live where every pod gets {sidecar:Sidecar}"), target_fixture="live")
def live_beside_sidecar(  # noqa: PLR0917 - what it stands on
    platform_kube: Kube,
    fresh_namespace: Namespace,
    neighbourhood: ExitStack,
    release_under_test: Release,
    run_id: str,
    deadlines: Deadlines,
    sidecar: str,
) -> Live:
    gateway = release_under_test.images[-1]
    neighbourhood.enter_context(
        surroundings.injecting(platform_kube, fresh_namespace, gateway, run_id, sidecar, deadlines)
    )
    return fresh_namespace.ensure_live(release_under_test)


@given("a foreign NetworkPolicy that admits no traffic", target_fixture="foreign_objects")
def closed_namespace(platform_kube: Kube, here: Namespace, neighbourhood: ExitStack, run_id: str) -> Objects:
    return [neighbourhood.enter_context(surroundings.closed(platform_kube, here, run_id))]


@when("the release is applied with another tag of its image", target_fixture="rollout")
def apply_another_tag(here: Namespace, release_under_test: Release) -> Rollout:
    return surroundings.apply_another_tag(here, release_under_test)


@when("the release is applied where an autoscaler adds a node later", target_fixture="rollout")
def apply_before_node(
    platform_kube: Kube, here: Namespace, release_under_test: Release, deadlines: Deadlines
) -> Rollout:
    return surroundings.apply_where_a_node_comes_later(platform_kube, here, release_under_test, deadlines)
