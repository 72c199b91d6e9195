"""A plan and an apply of a revision are those of the release that it was."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.commands import apply, plan
from support.commands.call import Call
from support.commands.revision import of_revision
from support.core.wait import Deadlines
from support.deploy import history
from support.deploy.history import NoRevisionError, Revision
from support.deploy.plan import Plan
from support.release.catalogue import load

WAS = load("gateway", ("chroma.memory=3Gi",))


def _call(said: list[str], lives: Any = None, **given: Any) -> Call:
    namespace = SimpleNamespace(
        kube=None,
        name="chroma",
        recalled=lambda: lives and SimpleNamespace(release=lives),
        forbids=lambda _: False,
        plan=lambda release: Plan(str(release.chroma.memory.limit), "chroma", (), begins=False),
    )
    call = Call(cast("Any", namespace), load("gateway"), "r1", Deadlines(), "", said.append, lambda _: None)
    return dataclasses.replace(call, revision="1", **given)


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    was = Revision(1, "2026-01-01", "jo", WAS.images, (), WAS.model_dump(mode="json"))
    monkeypatch.setattr(history, "recall", lambda *_: [was])


def test_a_plan_of_going_back_is_one_of_what_was_live_then() -> None:
    said: list[str] = []
    assert plan.run(_call(said)) == 0
    assert said[0].startswith('back to revision 1: release "gateway"')
    assert said[1] == "3Gi in namespace chroma:"


def test_going_back_looks_at_the_same_first(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    looked: list[Any] = []
    monkeypatch.setattr(apply, "look", lambda call, _: looked.append(call.release))
    assert apply.back_to(_call(said)) == 1
    assert looked == [WAS]


def test_changes_of_the_command_line_count_on_top() -> None:
    call = of_revision(_call([], changes=("chroma.memory=4Gi",)))
    assert call.release.chroma.memory.limit == "4Gi"


def test_a_claim_that_has_grown_since_keeps_its_size() -> None:
    said: list[str] = []
    call = of_revision(_call(said, lives=load("gateway", ("claim.size=20Gi",))))
    assert call.release.claim.size == "20Gi"
    assert said[-1] == "the claim keeps its size of 20Gi: no claim shrinks"


def test_a_revision_that_is_none_is_named_with_those_that_are() -> None:
    with pytest.raises(NoRevisionError, match="there is no revision 7 in chroma: there are 1;"):
        of_revision(dataclasses.replace(_call([]), revision="7"))
