"""Once a cluster is gone, nothing is advised that would have to ask it."""

from __future__ import annotations

import re

import pytest

from support.diagnosis.afterwards import at_an_address, remedy_afterwards
from support.diagnosis.findings import Cause, Finding, Trouble, remedy_of


@pytest.mark.parametrize("kind", [*Cause, *Trouble], ids=repr)
def test_what_to_do_asks_no_cluster_that_is_gone(kind: Cause | Trouble) -> None:
    usual = remedy_of(kind)
    told = remedy_afterwards(usual, kind)
    assert told
    assert "kubectl" not in told
    assert "--plan" not in told
    assert (told == usual) == ("kubectl" not in usual and "--plan" not in usual and "--restore" not in usual)


def test_advice_that_asks_the_cluster_gives_way_to_the_evidence() -> None:
    assert remedy_afterwards("wait, and apply again") == "wait, and apply again"
    assert "events.txt" in remedy_afterwards("`kubectl patch pvc a`")
    assert "live.yaml" in remedy_afterwards("`kubectl get svc`", Trouble.SERVICE)


@pytest.mark.parametrize("kind", [*Cause, *Trouble], ids=repr)
def test_what_to_do_about_a_server_known_by_its_address_names_no_object_of_a_cluster(
    kind: Cause | Trouble,
) -> None:
    found = at_an_address(Finding(kind, "seen"))
    assert found
    assert not re.search(r"kubectl|pod|Service|Ingress|claim|HTTPRoute", found.remedy)
    assert at_an_address(None) is None
