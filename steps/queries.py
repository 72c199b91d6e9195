"""Questions, and what their answers show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then, when

from steps.vocabulary import OneOf, parser
from support.checks import queries
from support.chroma.types import Metric
from support.laws import filters, invariants, strategies
from support.laws.invariants import LawRunner
from support.laws.recall import RecallSample, assert_recall

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.laws.filters import Found
    from support.laws.strategies import Trial
    from support.network.http import Response

parse = parser(
    Metric=OneOf({metric.value: metric for metric in Metric}),
    Nonsense=OneOf.itself(queries.QUESTIONS),
    Filter=OneOf(
        {"metadata": filters.on_metadata, "documents": filters.on_documents, "both": filters.on_both}
    ),
)


@given(parse("an empty collection measured by {metric:Metric}"), target_fixture="law_runner")
def empty_measured_collection(database: Database, metric: Metric) -> LawRunner:
    return LawRunner(database, metric)


@given(parse("a collection of {count:d} records measured by {metric:Metric}"), target_fixture="recall_sample")
def measured_collection(database: Database, count: int, metric: Metric) -> RecallSample:
    return RecallSample.of(database, metric, count)


@when("it holds any records and is queried with any vector", target_fixture="trials")
def any_question() -> SearchStrategy[Trial]:
    return strategies.trials()


@when("it holds any records and is queried with the vector of each", target_fixture="trials")
def any_records() -> SearchStrategy[Trial]:
    return strategies.trials(min_records=1)


@when("it holds any records and is queried for any number of them", target_fixture="trials")
def any_count() -> SearchStrategy[Trial]:
    return strategies.counted_trials()


@when(parse("it holds any records and is queried with any filter on {found:Filter}"), target_fixture="trials")
def any_filter(found: Found) -> SearchStrategy[Trial]:
    return strategies.filtered_trials(found)


@when(
    parse("it is queried for the {count:d} nearest records of each of {vectors:d} vectors"),
    target_fixture="recall",
)
def ask_for_nearest(recall_sample: RecallSample, count: int, vectors: int) -> float:
    return recall_sample.recall(count, vectors)


@when(parse("it is queried for {count:d} records"), target_fixture="response")
def ask_for_count(database: Database, collection: Collection, count: int) -> Response:
    return queries.ask_for(database, collection, count)


@when(parse("it is queried {question:Nonsense}"), target_fixture="response")
def ask_nonsense(database: Database, collection: Collection, question: str) -> Response:
    return queries.ask(database, collection, question)


@then("no record in the answer is nearer than its predecessor")
def answer_is_in_order(law_runner: LawRunner, trials: SearchStrategy[Trial]) -> None:
    law_runner.try_law(invariants.answer_is_in_order, trials)


@then("each distance in the answer is exact, except for rounding")
def distances_are_true(law_runner: LawRunner, trials: SearchStrategy[Trial]) -> None:
    law_runner.try_law(invariants.distances_are_true, trials)


@then("each record is found, or one as near")
def records_find_themselves(law_runner: LawRunner, trials: SearchStrategy[Trial]) -> None:
    law_runner.try_law(invariants.records_find_themselves, trials)


@then("the answer holds min(n, count) records, the nearest")
def nearest_are_answered(law_runner: LawRunner, trials: SearchStrategy[Trial]) -> None:
    law_runner.try_law(invariants.nearest_are_answered, trials)


@then("the answer shows each record as it was written")
def answer_shows_records(law_runner: LawRunner, trials: SearchStrategy[Trial]) -> None:
    law_runner.try_law(invariants.answer_shows_records, trials)


@then("the answer has the matching records and no others")
def answer_has_what_matches(law_runner: LawRunner, trials: SearchStrategy[Trial]) -> None:
    law_runner.try_law(invariants.answer_has_what_matches, trials)


@then(parse("recall@10 is at least {share:d} %"))
def nearest_are_found(recall: float, share: int) -> None:
    assert_recall(recall, share / 100)


@then("the answer is empty")
def answer_is_empty(response: Response) -> None:
    queries.assert_empty(response)
