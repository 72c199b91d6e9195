"""Applies with another token, and hosts that get their name late or never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then, when
from pytest_bdd.parsers import parse

from support.checks.deployment import naming, tokens
from support.release.catalogue import variant

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.checks.deployment.naming import LateNames
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout
    from support.release.release import Release
    from support.session.run import Run


@given("an empty namespace whose host gets its name once a release waits for it", target_fixture="here")
def namespace_named_late(late_names: LateNames, nameless_namespace: Namespace) -> Namespace:
    return late_names.published(nameless_namespace)


@given("an empty namespace whose host never gets a name", target_fixture="here")
def namespace_never_named(
    late_names: LateNames, nameless_namespace: Namespace, deadlines: Deadlines
) -> Namespace:
    return late_names.withheld(nameless_namespace, deadlines)


@given("another namespace that exposes its host")
def host_of_another_namespace(
    here: Namespace, fresh_namespaces: Callable[[], Namespace], run_id: str
) -> None:
    naming.occupy_host(fresh_namespaces(), here, run_id)


@then("the progress says that the release waits for the name")
def name_was_waited_for(late_names: LateNames) -> None:
    late_names.assert_waited()


@when(parse('the release "{name:S}" is applied with another token'), target_fixture="rollout")
def apply_with_another_token(here: Namespace, name: str, release_under_test: Release, run: Run) -> Rollout:
    release = variant(name, release_under_test)
    return tokens.with_another_token(here, run.redactor).apply(release)


@then("the previous release is live again with its old token")
def release_is_brought_back(here: Namespace, live: Live, rollout: Rollout) -> None:
    tokens.assert_brought_back(here, live, rollout)
