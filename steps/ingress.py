"""Large bodies and slow answers on their way through the ingress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then, when
from pytest_bdd.parsers import parse

from support.checks import ingress

if TYPE_CHECKING:
    from support.checks.ingress import Answers, Copies
    from support.chroma.client import Collection
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.network.http import Response


@given(
    "a slow server behind two copies of the Ingress, one with a read time-out of 1 s", target_fixture="copies"
)
def copied_ingress(live: Live, fresh_namespace: Namespace, deadlines: Deadlines, run_id: str) -> Copies:
    return ingress.copy_ingress(live, fresh_namespace, deadlines, run_id)


@given("a slow server behind a copy of the route", target_fixture="copy_host")
def copied_route(live: Live, fresh_namespace: Namespace, deadlines: Deadlines, run_id: str) -> str:
    return ingress.copy_route(live, fresh_namespace, deadlines, run_id)


@when(
    parse("a caller requests through the copy an answer that takes {seconds:d} seconds"),
    target_fixture="response",
)
def ask_copy_for_slow_answer(copy_host: str, live: Live, seconds: int) -> Response:
    return ingress.ask_at(copy_host, live.inventory, seconds)


@when(parse("records are added to it in a body of {mebibytes:d} MiB"), target_fixture="response")
def add_in_large_body(live: Live, collection: Collection, mebibytes: int) -> Response:
    return ingress.add(live, collection, mebibytes)


@when(
    parse("a caller requests through both an answer that takes {seconds:d} seconds"), target_fixture="answers"
)
def ask_for_slow_answer(copies: Copies, seconds: int) -> Answers:
    return ingress.ask(copies, seconds)


@then("Chroma has received the whole body")
def body_has_arrived(collection: Collection, response: Response) -> None:
    ingress.assert_arrived(collection, response)


@then("the release refuses it as too large")
def release_refuses_body(response: Response) -> None:
    ingress.assert_refused_by_release(response)


@then("the ingress refuses it as too large")
def ingress_refuses_body(response: Response) -> None:
    ingress.assert_refused_by_ingress(response)


@then("the caller has the answer")
def slow_answer_arrived(response: Response) -> None:
    ingress.assert_answered(response)


@then("the copy with the short time-out has given up")
def impatient_copy_has_given_up(answers: Answers) -> None:
    ingress.assert_given_up(answers)


@then("the copy with the time-out of the Ingress has the answer")
def patient_copy_has_answer(answers: Answers) -> None:
    ingress.assert_waited(answers)
