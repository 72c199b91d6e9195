"""A check of the inventory that overlooks a mistake, makes one up, or is silent about a remedy is caught."""

import pytest

from support.checks.inventory import MISTAKES, TOGETHER, assert_said_to_be_unknown, assert_told
from support.platform.assessment import Judgement

MISTAKE = MISTAKES["an ingress class that the cluster does not have"]
LINE = (
    "primary_ingress_class: the cluster has no no-such-class, but nginx; "
    "give a class that `kubectl get ingressclass` lists"
)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_check_that_overlooks_it_is_caught(name: str) -> None:
    with pytest.raises(AssertionError, match="promised: a complaint that begins with"):
        assert_told([MISTAKES[name]], Judgement((), ()))


def test_what_is_told_with_its_remedy_is_taken() -> None:
    assert_told([MISTAKE], Judgement((LINE,), ()))


def test_a_mistake_without_its_remedy_is_caught() -> None:
    with pytest.raises(AssertionError, match="promised: a line with"):
        assert_told([MISTAKE], Judgement((LINE.partition(";")[0],), ()))


def test_a_mistake_that_nobody_made_is_caught() -> None:
    with pytest.raises(AssertionError, match="promised: 1 complaints"):
        assert_told([MISTAKE], Judgement((LINE, "domain_name: missing"), ()))


def test_who_is_told_only_the_first_of_many_is_not_told_all() -> None:
    with pytest.raises(AssertionError):
        assert_told([MISTAKES[name] for name in TOGETHER], Judgement((LINE,), ()))


def test_a_silent_guess_is_caught() -> None:
    with pytest.raises(AssertionError, match="promised: that storage_class_name could not be looked at"):
        assert_said_to_be_unknown(Judgement((), ()), "storage_class_name")
