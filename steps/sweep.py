"""Other runs on the same cluster, and what is left of them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from pytest_bdd import given, then, when

from support.deploy.marks import Mark
from support.deploy.sweep import Swept, sweep

if TYPE_CHECKING:
    from support.checks.sweep import OtherRun
    from support.core.wait import Deadlines
    from support.deploy.namespace import Namespace
    from support.kube.client import Kube
    from support.platform.inventory import Inventory
    from support.session.run import Run


@given("another run with objects of its own on the cluster")
def run_with_things(other_run: OtherRun) -> None:
    other_run.settle()


@given("another run with a database of its own in the release")
def run_with_database(other_run: OtherRun) -> None:
    other_run.settle_in_release()


@given("that run has been killed")
def killed_run(other_run: OtherRun) -> None:
    other_run.die()


@when("the leftovers of dead runs are swept", target_fixture="swept")
def sweep_cluster(kube: Kube, inventory: Inventory, run: Run, deadlines: Deadlines) -> Swept:
    with Mark(kube, inventory.certificate_namespace, secrets.token_hex(4), deadlines) as mark:
        return sweep(kube, inventory, run.id, mark.renew(), deadlines, begun=True)


@then("nothing of the other run is left on the cluster")
def nothing_is_left(other_run: OtherRun) -> None:
    other_run.assert_gone()


@then("the sweep reports what it removed, and of which run")
def sweep_lists_removed(other_run: OtherRun, swept: Swept) -> None:
    other_run.assert_reported(swept)


@then("the other run's database is gone")
def database_is_gone(other_run: OtherRun) -> None:
    other_run.assert_database_gone()


@then("everything of the other run is there")
def everything_is_there(other_run: OtherRun) -> None:
    other_run.assert_there()


@then("the release is still live")
def release_is_live_still(here: Namespace) -> None:
    here.prove_live()
