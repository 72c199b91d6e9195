"""Hosts that get their name late, or never."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pytest_bdd import given, then

from support.checks.naming import LateNames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from support.core.wait import Deadlines
    from support.deploy.namespace import Namespace
    from support.platform.inventory import Inventory


@pytest.fixture
def late_names(inventory: Inventory) -> Iterator[LateNames]:
    """Own a platform that names its hosts late."""
    with LateNames(inventory) as names:
        yield names


@pytest.fixture
def nameless_namespace(
    late_names: LateNames, throw_away: Callable[..., AbstractContextManager[Namespace]]
) -> Iterator[Namespace]:
    """Own a namespace on that platform."""
    kept: Any = throw_away(platform=late_names.inventory)
    with kept as namespace:
        yield namespace


@given("an empty namespace whose host gets its name once a release waits for it", target_fixture="here")
def namespace_named_late(late_names: LateNames, nameless_namespace: Namespace) -> Namespace:
    return late_names.published(nameless_namespace)


@given("an empty namespace whose host never gets a name", target_fixture="here")
def namespace_never_named(
    late_names: LateNames, nameless_namespace: Namespace, deadlines: Deadlines
) -> Namespace:
    return late_names.withheld(nameless_namespace, deadlines)


@then("the progress says that the release waits for the name")
def name_was_waited_for(late_names: LateNames) -> None:
    late_names.assert_waited()
