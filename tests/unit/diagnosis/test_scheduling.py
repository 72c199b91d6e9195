"""What keeps a pod from a node is never certain, its remedy follows the scheduler's reason, and a node to come is waited for."""

from __future__ import annotations

from typing import Any

import pytest

from support.core.wait import Deadlines
from support.deploy.rollout import RolloutMonitor
from support.diagnosis import scheduling
from support.diagnosis.findings import Cause, Finding

PREEMPTION = " preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("1 node(s) were unschedulable.", "uncordon"),
        ("1 node(s) had untolerated taint(s) {dedicated: gpu}.", "kubectl taint nodes"),
        ("1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.", "kubectl taint nodes"),
        ("1 node(s) didn't match Pod's node affinity/selector.", "nodeSelector"),
        ("1 Insufficient cpu.", "less CPU and memory"),
        ("1 Insufficient memory.", "less CPU and memory"),
        ("1 Too many pods.", "as many pods as they may"),
        ("1 node(s) had volume node affinity conflict.", "kubectl describe pv"),
        ("1 node(s) didn't satisfy existing pods anti-affinity rules.", "near or apart"),
    ],
)
def test_the_remedy_follows_the_reason(reason: str, words: str) -> None:
    advice = scheduling.advice(f"0/1 nodes are available: {reason}{PREEMPTION}")
    assert words in advice
    assert ("uncordon" in advice) == ("unschedulable" in reason)


def test_several_reasons_have_several_remedies() -> None:
    advice = scheduling.advice("0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.")
    assert "less CPU" in advice
    assert "uncordon" in advice


FULL = "0/1 nodes are available: 1 {}. no new claims to deallocate,"
NO_VICTIMS = " preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."


@pytest.mark.parametrize(
    ("message", "is_waited_for"),
    [
        (FULL.format("Insufficient cpu") + NO_VICTIMS, True),
        (FULL.format("Too many pods") + NO_VICTIMS, True),
        (FULL.format("Insufficient cpu, 1 node(s) were unschedulable") + NO_VICTIMS, True),
        (FULL.format("Insufficient cpu") + PREEMPTION, False),
        (FULL.format("node(s) were unschedulable") + NO_VICTIMS, False),
        (FULL.format("Insufficient cpu"), False),
    ],
)
def test_room_that_others_may_give_back_is_waited_for(message: str, is_waited_for: bool) -> None:
    assert bool(scheduling.room_to_come(message)) == is_waited_for


class Still:
    """A watch that shows nothing."""

    def snapshot(self, _kind: str) -> list[Any]:
        return []


UNSCHEDULED = Finding(Cause.UNSCHEDULABLE, "pod chroma-0: no", terminal=False)
COMING = Finding(Cause.UNSCHEDULABLE, "pod chroma-0: no", terminal=False, awaits="TriggeredScaleUp: 1->2")


def test_a_doubtful_refusal_lasts_and_says_until_when() -> None:
    told: list[str] = []
    monitor = RolloutMonitor(Still(), Deadlines(doubt=3600), told.append)  # type: ignore[arg-type]  # a stand-in
    assert monitor.debounced(UNSCHEDULED) is None
    assert monitor.debounced(UNSCHEDULED) is None
    assert len(told) == 1
    assert "waiting until" in told[0]
    at_once = RolloutMonitor(Still(), Deadlines(doubt=0), told.append)  # type: ignore[arg-type]  # a stand-in
    assert at_once.debounced(UNSCHEDULED) is UNSCHEDULED


def test_a_node_that_is_coming_is_never_a_reason_to_give_up_early() -> None:
    told: list[str] = []
    monitor = RolloutMonitor(Still(), Deadlines(doubt=0), told.append)  # type: ignore[arg-type]  # a stand-in
    assert monitor.debounced(COMING) is None
    assert "TriggeredScaleUp" in told[0]
