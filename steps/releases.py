"""Releases: applied, live, refused, rolled back, and what is left of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from pytest_bdd import given, then, when

from steps.vocabulary import OneOf, parser
from support.checks import rollback
from support.checks.deployment import outcome
from support.diagnosis.findings import Cause
from support.release.catalogue import variant
from support.release.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.chroma.reachable import Reachable
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import RollBack, Rollout
    from support.kube.objects import Objects
    from support.release.release import Release

# A mistake that an operator makes, and the fault that is just that.
_MISTAKES: Final = {
    "a gateway that knows no token": "gateway-knows-nobody",
    "a route to a port that the Service does not have": "route-to-another-port",
    "its claim mounted where Chroma does not write": "data-beside-the-claim",
    "its data in a scratch volume": "data-in-a-scratch-volume",
    "its data on another claim": "data-on-another-claim",
}
parse = parser(Cause=OneOf({cause.value: cause for cause in Cause}), Mistake=OneOf(_MISTAKES))


@pytest.fixture
def home(live: Live, namespaces: Mapping[str, Namespace]) -> Namespace:
    """Return the namespace in which the live release lives."""
    return namespaces[live.namespace]


@pytest.fixture
def here(home: Namespace) -> Namespace:
    """Return the namespace that the scenario is about."""
    return home


@pytest.fixture
def foreign_objects() -> Objects:
    """Return the foreign objects beside the release: none, unless a step says so."""
    return []


@given("the live release", target_fixture="live")
def live_release(ensure_live: Callable[[], Reachable]) -> Reachable:
    return ensure_live()


@given("the release, live in a namespace of its own", target_fixture="live")
def release_live_on_its_own(own_namespace: Namespace, release_under_test: Release) -> Live:
    return own_namespace.ensure_live(release_under_test)


@given("the release, rolled back in a namespace of its own", target_fixture="here")
def release_rolled_back_on_its_own(own_namespace: Namespace, release_under_test: Release) -> Namespace:
    own_namespace.ensure_rolled_back(release_under_test)
    return own_namespace


@given("the release has been rolled back")
def rolled_back_release(here: Namespace) -> None:
    here.roll_back()


@given("an empty namespace", target_fixture="here")
def empty_namespace(fresh_namespace: Namespace) -> Namespace:
    return fresh_namespace


@given("foreign objects beside it", target_fixture="foreign_objects")
def foreign_objects_beside_it(created_foreign_objects: Objects) -> Objects:
    return created_foreign_objects


@when("the release is applied", target_fixture="rollout")
def apply_release(here: Namespace, release_under_test: Release) -> Rollout:
    return here.apply(release_under_test)


@when(parse('the release "{name:S}" is applied'), target_fixture="rollout")
def apply_named_release(here: Namespace, name: str, release_under_test: Release) -> Rollout:
    return here.apply(variant(name, release_under_test))


@when(parse("the release is applied with {mistake:Mistake}"), target_fixture="rollout")
def apply_with_mistake(here: Namespace, mistake: str, release_under_test: Release) -> Rollout:
    return here.spoiling(Fault.load(mistake)).apply(release_under_test)


@when("the release is rolled back")
def roll_back_release(here: Namespace) -> None:
    here.roll_back()


@when("the release is rolled back with its data", target_fixture="removal")
def roll_back_release_with_data(here: Namespace) -> RollBack:
    return here.roll_back(remove_data=True)


@then("the release is live")
def release_is_live(here: Namespace, release_under_test: Release, rollout: Rollout) -> None:
    here.assert_live(release_under_test, rollout)


@then(parse("it is refused because {cause:Cause}"))
def release_is_refused(rollout: Rollout, cause: Cause) -> None:
    outcome.assert_refused(rollout, cause)


@then("it is refused before its time-out")
def refusal_came_early(rollout: Rollout, deadlines: Deadlines) -> None:
    outcome.assert_refused_early(rollout, deadlines)


@then("no object in the namespace has changed")
def no_object_has_changed(rollout: Rollout) -> None:
    outcome.assert_unchanged(rollout)


@then("nothing of the release is left")
def nothing_is_left(here: Namespace) -> None:
    rollback.assert_nothing_left(here)


@then("nothing of the release is left but its namespace")
def namespace_is_left(here: Namespace, foreign_objects: Objects) -> None:
    rollback.assert_namespace_left(here, besides=foreign_objects)


@then("nothing of the release is left but its claim")
def claim_is_left(here: Namespace, release_under_test: Release, foreign_objects: Objects) -> None:
    rollback.assert_data_left(here, release_under_test, besides=foreign_objects)


@then("the foreign objects are untouched")
def foreign_objects_are_untouched(here: Namespace, foreign_objects: Objects) -> None:
    rollback.assert_untouched(here.kube, foreign_objects)
