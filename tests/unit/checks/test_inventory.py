"""A check of the inventory that overlooks a mistake, makes one up, or is silent about a remedy is caught."""

import pytest

from support.checks.inventory import INVALID_INVENTORIES, TOGETHER, assert_problems, assert_said_to_be_unknown
from support.platform.assessment import Assessment

MISTAKE = INVALID_INVENTORIES["an ingress class that the cluster does not have"]
LINE = (
    "primary_ingress_class: the cluster has no no-such-class, but nginx; "
    "give a class that `kubectl get ingressclass` lists"
)


@pytest.mark.parametrize("name", INVALID_INVENTORIES)
def test_a_check_that_overlooks_it_is_caught(name: str) -> None:
    with pytest.raises(AssertionError, match="promised: a complaint that begins with"):
        assert_problems([INVALID_INVENTORIES[name]], Assessment((), ()))


def test_what_is_told_with_its_remedy_is_taken() -> None:
    assert_problems([MISTAKE], Assessment((LINE,), ()))


def test_a_mistake_without_its_remedy_is_caught() -> None:
    with pytest.raises(AssertionError, match="promised: a line with"):
        assert_problems([MISTAKE], Assessment((LINE.partition(";")[0],), ()))


def test_a_mistake_that_nobody_made_is_caught() -> None:
    with pytest.raises(AssertionError, match="promised: 1 complaints"):
        assert_problems([MISTAKE], Assessment((LINE, "domain_name: missing"), ()))


def test_who_is_told_only_the_first_of_many_is_not_told_all() -> None:
    with pytest.raises(AssertionError):
        assert_problems([INVALID_INVENTORIES[name] for name in TOGETHER], Assessment((LINE,), ()))


def test_a_silent_guess_is_caught() -> None:
    with pytest.raises(AssertionError, match="promised: that storage_class_name could not be looked at"):
        assert_said_to_be_unknown(Assessment((), ()), "storage_class_name")
