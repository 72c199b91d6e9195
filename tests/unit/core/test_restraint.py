"""A run that is restrained sends nothing that its mode forbids, and no more than its budget; an unrestrained one only counts."""

from __future__ import annotations

import pytest

from support.core.restraint import Budget, DisturbanceError, OverBudget, Restraint, Share, TokenBucket

WRITE = ("PATCH", "apis/apps/v1/namespaces/chroma/statefulsets/chroma")
OWN = "api/v1/namespaces/mine/pods/vantage"


def verifying(**limits: float) -> Restraint:
    return Restraint("--verify", changes=False, runs_commands=False, budget=Budget(**limits))


def reading() -> Restraint:
    return Restraint("--read-only", changes=False, writes=False)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_request_that_would_change_the_cluster_is_refused(method: str) -> None:
    with pytest.raises(DisturbanceError, match=r"lacks its tag @needs-deploying: .* which --verify does not"):
        verifying().asks_cluster(method, WRITE[1])


def test_what_an_apply_would_come_to_is_not_tried_either() -> None:
    with pytest.raises(DisturbanceError, match="only tried"):
        verifying().asks_cluster(*WRITE, dry_run=True)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", WRITE[1]),
        ("POST", "apis/authorization.k8s.io/v1/selfsubjectrulesreviews"),
        ("POST", "apis/authentication.k8s.io/v1/selfsubjectreviews"),
    ],
)
def test_questions_to_the_cluster_are_asked(method: str, path: str) -> None:
    verifying().asks_cluster(method, path)


def test_a_token_of_another_account_is_no_question() -> None:
    with pytest.raises(DisturbanceError):
        verifying().asks_cluster("POST", "api/v1/namespaces/chroma/serviceaccounts/default/token")


def test_what_is_the_runs_own_is_made_and_removed() -> None:
    restraint = verifying()
    restraint.own(OWN)
    restraint.asks_cluster("POST", OWN)
    assert restraint.made == {OWN: False}
    restraint.asks_cluster("DELETE", OWN)
    assert restraint.made == {OWN: True}
    with pytest.raises(DisturbanceError):
        restraint.asks_cluster("DELETE", OWN + "-of-another")


def test_what_is_to_stay_is_made_and_no_other_of_its_kind() -> None:
    restraint = verifying()
    restraint.keep(OWN)
    restraint.asks_cluster("PATCH", OWN)
    assert restraint.made == {OWN: None}
    with pytest.raises(DisturbanceError):
        restraint.asks_cluster("PATCH", OWN + "-of-another")


def test_a_port_is_forwarded_to_the_vantage_alone() -> None:
    restraint = verifying()
    restraint.own(OWN)
    restraint.opens_pod(OWN, "portforward")
    with pytest.raises(DisturbanceError):
        restraint.opens_pod("api/v1/namespaces/chroma/pods/chroma-0", "portforward")


def test_a_disturbance_is_known_even_if_a_step_swallows_it() -> None:
    restraint = verifying()
    with pytest.raises(DisturbanceError):
        restraint.asks_cluster(*WRITE)
    assert len(restraint.disturbances()) == 1
    assert restraint.disturbances() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/v2/x/add"), ("DELETE", "/api/v2/x"), ("PUT", "/api/v2/x"), ("POST", "/get/x")],
)
def test_a_run_that_only_reads_writes_nothing_through_chroma(method: str, path: str) -> None:
    with pytest.raises(DisturbanceError, match="lacks its tag @needs-writing"):
        reading().asks_release(method, path)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/x"), ("OPTIONS", "/x"), ("POST", "/x/query"), ("POST", "/x/get?a=b")]
)
def test_a_run_that_only_reads_reads(method: str, path: str) -> None:
    reading().asks_release(method, path)


def test_a_body_that_takes_a_large_share_is_left_out() -> None:
    with pytest.raises(OverBudget, match="more than a quarter"):
        verifying(bytes=100).asks_release("POST", "/x/add", size=26)


def test_what_does_not_fit_any_more_is_left_out_and_not_counted() -> None:
    restraint = verifying(bytes=100, records=10)
    for _ in range(4):
        restraint.asks_release("POST", "/x/query", size=25)
    with pytest.raises(OverBudget, match="is used up"):
        restraint.asks_release("POST", "/x/query", size=1)
    assert (restraint.tally["bytes"], restraint.tally["reads"]) == (100, 4)


def test_records_are_counted_where_they_are_added() -> None:
    restraint = verifying(records=10)
    restraint.asks_release("POST", "/x/upsert", records=10)
    restraint.asks_release("POST", "/x/get", records=99)
    with pytest.raises(OverBudget, match="10 records"):
        restraint.asks_release("POST", "/x/add", records=1)


def test_no_budget_holds_up_a_clean_up() -> None:
    restraint = verifying(bytes=4)
    restraint.asks_release("POST", "/x/delete", size=999)
    restraint.asks_release("DELETE", "/x", size=999)


def test_so_many_pass_a_second_and_the_rest_waits_in_turn() -> None:
    now: list[float] = [0.0]
    waits: list[float] = []
    bucket = TokenBucket(10, clock=lambda: now[0], pause=waits.append)
    assert [bucket.take() for _ in range(10)] == [0.0] * 10
    assert [round(bucket.take(), 3) for _ in range(3)] == [0.1, 0.2, 0.3]
    now[0] = 10.0
    assert bucket.take() == 0.0


def test_whoever_has_let_a_release_work_waits_for_what_makes_up_for_it() -> None:
    now: list[float] = [0.0]
    waits: list[float] = []
    share = Share(0.1, clock=lambda: now[0], pause=waits.append)
    assert share.take() == 0.0
    now[0] = 0.2
    share.worked(0.2)
    assert share.take() == 0.0, "a burst is not interrupted"
    now[0] = 0.4
    share.worked(0.2)
    assert share.take() == pytest.approx(10 * 0.4 - 0.4), (
        "the rest of four seconds, of which it worked a tenth"
    )
    assert waits == [pytest.approx(3.6)]
    now[0] = 4.0
    assert share.take() == 0.0
    now[0] = 60.0
    share.worked(0.05)
    assert share.take() == 0.0, "what was not used before is not saved up"


def test_what_is_waited_for_is_known_to_who_measures() -> None:
    restraint = verifying(busy=0.9)
    restraint.was_answered(0.2)
    assert restraint.waited == 0.0
    restraint.was_answered(0.15)
    restraint.asks_release("GET", "/x")
    assert restraint.waited == pytest.approx(restraint.tally["waited ms"] / 1000, abs=0.001)
    assert 0.2 < restraint.waited < 0.5


def test_answers_are_accounted_for() -> None:
    restraint = verifying(busy=0.5)
    restraint.was_answered(0.25)
    restraint.was_answered(0.25)
    assert restraint.tally["busy ms"] == 500


def test_nothing_restrains_a_usual_run() -> None:
    restraint = Restraint()
    restraint.asks_cluster(*WRITE)
    restraint.opens_pod("api/v1/namespaces/chroma/pods/chroma-0", "exec")
    restraint.asks_release("POST", "/x/add", size=1 << 40, records=1 << 40)
    assert restraint.runs_commands
