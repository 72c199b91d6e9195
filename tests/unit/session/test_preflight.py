"""Before anything is touched, a run says all that speaks against it, and ends the cluster that it has booted."""

import pytest

from tests.miniature import Miniature

FEATURE = """
@core
Feature: Things
  Rule: A thing holds
    Scenario: It holds
      Given a thing
"""

WRONG = """
def preflight(*_):
    from support.platform.assessment import Assessment
    return Assessment(("primary_ingress_class: the cluster has no nginx; give another",), ("storage_class_name: whether",))
"""


@pytest.fixture
def things(miniature: Miniature) -> Miniature:
    miniature.feature("things", FEATURE)
    miniature.steps("""
        @given("a thing")
        def thing():
            raise AssertionError("nothing may be created")
    """)
    return miniature


def test_an_inventory_that_does_not_fit_its_cluster_ends_the_run(things: Miniature) -> None:
    things.fixtures(WRONG)
    things.environ["DOMAIN_NAME"] = "not a name"
    ran = things.run("features")
    assert ran.code == pytest.ExitCode.USAGE_ERROR
    assert "the inventory is incomplete or wrong:" in ran.err
    assert "DOMAIN_NAME in the environment: is not a DNS name" in ran.err
    assert "primary_ingress_class: the cluster has no nginx; give another" in ran.err
    assert "not known of storage_class_name: whether" in ran.out
    assert "nothing may be created" not in ran.out
    assert things.log() == ["created by main", "deleted by main"]


def test_a_cluster_out_of_reach_is_told_with_what_is_wrong_with_the_inventory(things: Miniature) -> None:
    kubeconfig = things.write(
        "kubeconfig",
        """
        clusters: [{name: there}]
        contexts: [{name: staging}]
        current-context: staging
    """,
    )
    things.environ |= {"MINIATURE_BREAKS": "1", "ADMIN_PASSWORD": ""}
    ran = things.run("features", "--kubeconfig", str(kubeconfig))
    assert ran.code == pytest.ExitCode.USAGE_ERROR
    assert "kubeconfig: no kernel: install one" in ran.err
    assert "domain_name: missing" in ran.err
    assert "ADMIN_PASSWORD: is empty" in ran.err
    assert "kubeconfig: missing" not in ran.err


def test_a_cluster_that_cannot_be_booted_is_told_alone(things: Miniature) -> None:
    things.environ["MINIATURE_BREAKS"] = "1"
    ran = things.run("features")
    assert "no kernel: install one" in ran.err
    assert "missing" not in ran.err
