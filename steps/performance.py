"""How fast a release is and what its records weigh, held against itself or told in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_bdd import then, when

from steps.vocabulary import OneOf, parser
from support.checks import performance

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.checks.performance import Pace, Race, Weight
    from support.chroma.client import Collection
    from support.deploy.live import Live
    from support.session.run import Run

parse = parser(Work=OneOf(performance.RACES))


@pytest.fixture
def measured(run: Run) -> dict[str, str]:
    """Return what was measured in this run, which its report tells."""
    return run.measured


@when(parse("{count:d} {work:Work} are made one by one, and again in one batch"), target_fixture="race")
def race(
    collection: Collection,
    measured: dict[str, str],
    count: int,
    work: Callable[[Collection, int], Race],
) -> Race:
    return performance.told(work(collection, count), measured)


@when(parse("{count:d} records of {dimension:d} dimensions are added and queried"), target_fixture="weight")
def weigh_records(
    live: Live, collection: Collection, measured: dict[str, str], count: int, dimension: int
) -> Weight:
    return performance.told(performance.weigh(live, collection, count, dimension), measured)


@when(parse("{count:d} queries are sent to it one after the other"), target_fixture="pace")
def ask_questions(collection: Collection, measured: dict[str, str], count: int) -> Pace:
    return performance.told(performance.pace(collection, count), measured)


@then("the batch was at least twice as fast")
def batch_wins(race: Race) -> None:
    performance.assert_batch_wins(race)


@then("each takes at most 12 times the memory of its vector")
def weight_is_in_bounds(weight: Weight) -> None:
    performance.assert_weight_is_in_bounds(weight)


@then("the report says how many times")
def gain_is_told(race: Race, measured: dict[str, str]) -> None:
    performance.assert_told(race, measured)


@then("the report says how much")
def weight_is_told(weight: Weight, measured: dict[str, str]) -> None:
    performance.assert_told(weight, measured)


@then("the report says how long the answers took")
def pace_is_told(pace: Pace, measured: dict[str, str]) -> None:
    performance.assert_told(pace, measured)
