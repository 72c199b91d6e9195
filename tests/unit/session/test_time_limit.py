"""A run whose time is over ends as by SIGTERM, wherever it is: cleaned up, reported as unfinished, and with 2."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from support.core.wait import Deadlines, wait_for

if TYPE_CHECKING:
    from tests.miniature import Miniature

FEATURE = """
    @core
    Feature: {name}
      Scenario: It hangs
        Then it hangs
    """
# The limit is too short for a scenario to begin on a busy machine: what counts is that none of them sleeps to its end.
STEPS = """
from cluster.provider import note

@pytest.fixture
def lasting(access):
    note("made")
    yield
    note("cleaned")

@then("it hangs")
def hangs(lasting): time.sleep(600)
"""
# A cluster whose boot hangs, and which leaves nothing when it is ended.
HANGING_BOOT = """
import time
from cluster import provider

def create(self):
    provider.note("booting")
    try:
        time.sleep(600)
    finally:
        provider.note("gone")

provider.Provider.create = create
"""
OVER = "its time was over (--time-limit 8)"


@pytest.fixture
def hanging(miniature: Miniature) -> Miniature:
    for name in ("first", "second"):
        miniature.feature(name, FEATURE.format(name=name))
    miniature.steps(STEPS)
    return miniature


@pytest.mark.parametrize("workers", [0, 2])
def test_a_step_that_hangs_is_ended_and_cleaned_up_after(hanging: Miniature, workers: int) -> None:
    began = time.monotonic()
    ran = hanging.run_apart("features/", "-n", str(workers), "--time-limit", "8", "--patience", "0.3")
    assert ran.code == 2, ran.out + ran.err
    assert 8 <= time.monotonic() - began < 60
    log = hanging.log()
    made, cleaned = (sum(line.startswith(word) for line in log) for word in ("made", "cleaned"))
    assert made == cleaned
    assert made or workers, "nothing had begun that could hang"
    assert log[-1] == "deleted by main"
    assert f"not finished: {OVER}\n" in ran.out
    report = hanging.report()
    assert (report["finished"], report["ended_by"]) == (False, OVER)
    assert "INTERNALERROR" not in ran.out + ran.err


@pytest.mark.parametrize("workers", [0, 1])
def test_a_boot_that_hangs_is_ended(hanging: Miniature, workers: int) -> None:
    hanging.fixtures(HANGING_BOOT)
    ran = hanging.run_apart("features/", "-n", str(workers), "--time-limit", "8", "--patience", "0.3")
    assert ran.code == 2, ran.out + ran.err
    assert OVER in ran.out
    assert hanging.log()[:2] == ["booting by main", "gone by main"]
    assert hanging.report()["ended_by"] == OVER


def test_a_run_that_is_over_in_time_is_as_without_a_limit(miniature: Miniature) -> None:
    miniature.feature("first", FEATURE.format(name="first"))
    miniature.steps('@then("it hangs")\ndef hangs(): pass\n')
    ran = miniature.run_apart("features/", "--time-limit", "300")
    assert ran.code == 0, ran.out + ran.err
    assert "ended_by" not in miniature.report()


@pytest.mark.parametrize(
    ("given", "says"),
    [("0", "--time-limit 0: must be a number of seconds above 0"), ("soon", "--time-limit")],
)
def test_a_limit_that_is_none_is_told(miniature: Miniature, given: str, says: str) -> None:
    miniature.feature("first", FEATURE.format(name="first"))
    ran = miniature.run("features/", "--time-limit", given)
    assert ran.code == 4
    assert says in ran.err
    assert miniature.log() == []


def test_workers_that_have_not_begun_are_not_waited_for(hanging: Miniature) -> None:
    hanging.fixtures("""
        import os, time
        from cluster.provider import note

        if "PYTEST_XDIST_WORKER" in os.environ:
            note("starting")
            time.sleep(600)
    """)
    process = hanging.start("features/", "-n", "2")
    wait_for(lambda: len(hanging.log()) == 3, 60, lambda: str(hanging.log()))
    began = time.monotonic()
    ran = hanging.end(process, signal.SIGTERM)
    assert ran.code == 2, ran.out + ran.err
    assert time.monotonic() - began < Deadlines().farewell / 2
    assert hanging.log()[-1] == "deleted by main"
