"""Inventories, right and wrong, and what their check says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from pytest_bdd import given, then, when

from steps.vocabulary import OneOf, parser
from support.checks import inventory as inventory_checks
from support.checks.inventory import (
    INVALID_INVENTORIES,
    TOGETHER,
    InvalidInventory,
    InventoryDraft,
    InventoryFactory,
)

if TYPE_CHECKING:
    from pathlib import Path

    from support.core.wait import Deadlines
    from support.deploy.namespace import Namespace
    from support.kube.client import Kube
    from support.platform.assessment import Assessment
    from support.platform.inventory import Inventory
    from support.session.run import Run

# What leads to the host: nothing but its name, or a name that the inventory gives.
_NAMES: Final = {"the host's name": None, "the load balancer's name": "balancer.invalid"}
parse = parser(InvalidInventory=OneOf(INVALID_INVENTORIES), Name=OneOf(_NAMES))


@pytest.fixture
def inventory_factory(
    run: Run, platform_kube: Kube, inventory: Inventory, own_namespace: Namespace, tmp_path: Path
) -> InventoryFactory:
    """Return where a scenario makes up inventories."""
    return InventoryFactory(platform_kube, inventory, own_namespace.name, run.id, tmp_path, run.deadlines)


@pytest.fixture
def made() -> list[InvalidInventory]:
    """Return the mistakes of the inventory: none, unless a step makes some."""
    return []


@given("the inventory of this run", target_fixture="draft")
def inventory_of_run(inventory_factory: InventoryFactory) -> InventoryDraft:
    return inventory_checks.valid(inventory_factory)


@given(parse("an inventory with {invalid:InvalidInventory}"), target_fixture="draft")
def inventory_with_mistake(
    inventory_factory: InventoryFactory, made: list[InvalidInventory], invalid: InvalidInventory
) -> InventoryDraft:
    made.append(invalid)
    return inventory_checks.spoiled(inventory_factory, made)


@given("an inventory with many mistakes", target_fixture="draft")
def inventory_with_many_mistakes(
    inventory_factory: InventoryFactory, made: list[InvalidInventory]
) -> InventoryDraft:
    made.extend(INVALID_INVENTORIES[name] for name in TOGETHER)
    return inventory_checks.spoiled(inventory_factory, made)


@given(parse("an inventory in which {name:Name} is not published yet"), target_fixture="draft")
def inventory_of_unpublished_name(inventory_factory: InventoryFactory, name: str | None) -> InventoryDraft:
    return inventory_checks.unnamed(inventory_factory, name)


@when("the inventory is checked", target_fixture="assessment")
def check_inventory(draft: InventoryDraft, deadlines: Deadlines) -> Assessment:
    return draft.check(deadlines)


@then("it is accepted")
def nothing_is_wrong(assessment: Assessment) -> None:
    inventory_checks.assert_problems([], assessment)


@then("it warns that the name is not published yet")
def unpublished_name_is_warned_of(assessment: Assessment, draft: InventoryDraft) -> None:
    inventory_checks.assert_warned_of(assessment, draft)


@then("the refusal names each mistake and its remedy")
def problems_are_listed(assessment: Assessment, made: list[InvalidInventory]) -> None:
    inventory_checks.assert_problems(made, assessment)


@then("it lists the values that it could not check")
def unknowns_are_listed(assessment: Assessment) -> None:
    inventory_checks.assert_said_to_be_unknown(
        assessment, "primary_ingress_class", "storage_class_name", "harbor_registry"
    )


@then("nothing has been created")
def nothing_is_created(kube: Kube, draft: InventoryDraft) -> None:
    inventory_checks.assert_nothing_made(kube, draft)
