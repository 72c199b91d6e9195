"""How fast a release is and what its records weigh, held against itself or told in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_bdd import then, when

from steps.vocabulary import OneOf, parser
from support.checks.performance import growth
from support.checks.performance import measurements as performance

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.checks.performance.growth import ClaimGrowth
    from support.checks.performance.measurements import BatchSpeedup, Latency, RecordMemory
    from support.chroma.client import Collection
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.session.run import Run

parse = parser(Work=OneOf(performance.BATCHES))


@pytest.fixture
def measured(run: Run) -> dict[str, str]:
    """Return what was measured in this run, which its report tells."""
    return run.measured


@when(parse("{count:d} {work:Work} are made one by one, and again in one batch"), target_fixture="speedup")
def speedup(
    collection: Collection,
    measured: dict[str, str],
    count: int,
    work: Callable[[Collection, int], BatchSpeedup],
) -> BatchSpeedup:
    return performance.report(work(collection, count), measured)


@when(
    parse("{count:d} records of {dimension:d} dimensions are added and queried"),
    target_fixture="record_memory",
)
def measure_record_memory(
    live: Live, collection: Collection, measured: dict[str, str], count: int, dimension: int
) -> RecordMemory:
    return performance.report(performance.measure_record_memory(live, collection, count, dimension), measured)


@when(
    parse("{count:d} scenarios each use a collection and prove the release live"),
    target_fixture="claim_growth",
)
def measure_claim_growth(
    home: Namespace, live: Live, run_id: str, measured: dict[str, str], count: int
) -> ClaimGrowth:
    return performance.report(growth.measure(home, live, run_id, count), measured)


@when(parse("{count:d} queries are sent to it one after the other"), target_fixture="latency")
def ask_questions(collection: Collection, measured: dict[str, str], count: int) -> Latency:
    return performance.report(performance.latency(collection, count), measured)


@then("the batch was at least twice as fast")
def batch_wins(speedup: BatchSpeedup) -> None:
    performance.assert_batch_wins(speedup)


@then("each takes at most 12 times the memory of its vector")
def record_memory_is_in_bounds(record_memory: RecordMemory) -> None:
    performance.assert_record_memory_is_in_bounds(record_memory)


@then("they leave at most one index directory on the claim")
def claim_growth_is_small(claim_growth: ClaimGrowth) -> None:
    growth.assert_small(claim_growth)


@then("the report says how many are left")
def claim_growth_is_reported(claim_growth: ClaimGrowth, measured: dict[str, str]) -> None:
    performance.assert_reported(claim_growth, measured)


@then("the report says how many times")
def gain_is_reported(speedup: BatchSpeedup, measured: dict[str, str]) -> None:
    performance.assert_reported(speedup, measured)


@then("the report says how much")
def record_memory_is_reported(record_memory: RecordMemory, measured: dict[str, str]) -> None:
    performance.assert_reported(record_memory, measured)


@then("the report says how long the answers took")
def latency_is_reported(latency: Latency, measured: dict[str, str]) -> None:
    performance.assert_reported(latency, measured)
