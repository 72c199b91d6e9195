"""Inventories, right and wrong, and what their check says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from pytest_bdd import given, then, when

from steps.vocabulary import OneOf, parser
from support.checks import inventory as inventory_checks
from support.checks.inventory import MISTAKES, TOGETHER, Desk, Draft, Mistake

if TYPE_CHECKING:
    from pathlib import Path

    from support.core.wait import Deadlines
    from support.deploy.namespace import Namespace
    from support.kube.client import Kube
    from support.platform.assessment import Judgement
    from support.platform.inventory import Inventory
    from support.session.run import Run

# What leads to the host: nothing but its name, or a name that the inventory gives.
_NAMES: Final = {"the host's name": None, "the load balancer's name": "balancer.invalid"}
parse = parser(Mistake=OneOf(MISTAKES), Name=OneOf(_NAMES))


@pytest.fixture
def desk(run: Run, kube: Kube, inventory: Inventory, own_namespace: Namespace, tmp_path: Path) -> Desk:
    """Return where a scenario makes up inventories."""
    return Desk(kube, inventory, own_namespace.name, run.id, tmp_path, run.deadlines)


@pytest.fixture
def made() -> list[Mistake]:
    """Return the mistakes of the inventory: none, unless a step makes some."""
    return []


@given("the inventory of this run", target_fixture="draft")
def inventory_of_run(desk: Desk) -> Draft:
    return inventory_checks.right(desk)


@given(parse("an inventory with {mistake:Mistake}"), target_fixture="draft")
def inventory_with_mistake(desk: Desk, made: list[Mistake], mistake: Mistake) -> Draft:
    made.append(mistake)
    return inventory_checks.spoiled(desk, made)


@given("an inventory with many mistakes", target_fixture="draft")
def inventory_with_many_mistakes(desk: Desk, made: list[Mistake]) -> Draft:
    made.extend(MISTAKES[name] for name in TOGETHER)
    return inventory_checks.spoiled(desk, made)


@given(parse("an inventory in which {name:Name} is not published yet"), target_fixture="draft")
def inventory_of_unpublished_name(desk: Desk, name: str | None) -> Draft:
    return inventory_checks.unnamed(desk, name)


@when("the inventory is checked", target_fixture="judgement")
def check_inventory(draft: Draft, deadlines: Deadlines) -> Judgement:
    return draft.check(deadlines)


@then("it is accepted")
def nothing_is_wrong(judgement: Judgement) -> None:
    inventory_checks.assert_told([], judgement)


@then("it warns that the name is not published yet")
def unpublished_name_is_told(judgement: Judgement, draft: Draft) -> None:
    inventory_checks.assert_warned_of(judgement, draft)


@then("the refusal names each mistake and its remedy")
def mistakes_are_told(judgement: Judgement, made: list[Mistake]) -> None:
    inventory_checks.assert_told(made, judgement)


@then("it lists the values that it could not check")
def blindness_is_told(judgement: Judgement) -> None:
    inventory_checks.assert_said_to_be_unknown(
        judgement, "primary_ingress_class", "storage_class_name", "harbor_registry"
    )


@then("nothing has been created")
def nothing_is_created(kube: Kube, draft: Draft) -> None:
    inventory_checks.assert_nothing_made(kube, draft)
