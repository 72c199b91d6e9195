"""A plan is put in words that tell what an apply would do, and its exit code whether the cluster would take it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, cast

import pytest

from support.commands.call import Call
from support.commands.plan import run
from support.core.wait import Deadlines
from support.deploy.namespace import Namespace
from support.deploy.plan import Act, Intent, Plan, plan
from support.deploy.precheck import Situation
from support.kube.diff import FieldChange
from support.kube.errors import ApiError
from support.kube.labels import ownership
from support.kube.objects import Object
from support.release.catalogue import load

if TYPE_CHECKING:
    from support.kube.client import Kube


@dataclass
class Cluster:
    """Answers with what is there, and with what would be stored; `refusals` by the names of objects."""

    there: list[Object]
    refusals: dict[str, ApiError] = field(default_factory=dict)

    def get(self, kind: str, name: str, _namespace: str | None = None) -> Object | None:
        return next((o for o in self.there if (o["kind"], o["metadata"]["name"]) == (kind, name)), None)

    def apply(self, obj: Object, *, dry_run: bool) -> Object:
        assert dry_run, "a plan changes nothing"
        if refused := self.refusals.get(obj["metadata"]["name"]):
            raise refused
        return obj

    def create(self, obj: Object, *, dry_run: bool) -> Object:
        assert dry_run, "a plan changes nothing"
        assert obj["metadata"]["namespace"] == "default", (
            "there is no other namespace that is sure to be there"
        )
        if refused := self.refusals.get(obj["metadata"]["generateName"].rstrip("-")):
            raise refused
        return obj


def obj(kind: str, name: str, *, ours: bool = True, **rest: Any) -> Object:
    labels = ownership(None) if ours else {}
    return {"kind": kind, "metadata": {"name": name, "namespace": "chroma", "labels": labels}, **rest}


HOME = obj("Namespace", "chroma")
SERVICE = obj("Service", "chromadb-svc", spec={"port": 80})
CHANGED = obj("Service", "chromadb-svc", spec={"port": 81})
CLAIM = obj("PersistentVolumeClaim", "data", spec={"class": "a"})


def planned(cluster: Cluster, objects: list[Object], former: list[Object] | None = None) -> Plan:
    seen = Situation(cluster.get("Namespace", "chroma"), cluster.there)
    return plan(cast("Kube", cluster), 'release "x"', "chroma", objects, former or [], seen=seen)


def test_what_is_as_it_would_be_is_left() -> None:
    found = planned(Cluster([HOME, SERVICE]), [HOME, SERVICE])
    assert [intent.act for intent in found.intents] == [Act.LEAVE, Act.LEAVE]
    assert found.touched() == set()


def test_what_is_not_there_is_created_and_what_differs_changed() -> None:
    found = planned(Cluster([HOME, SERVICE]), [HOME, CHANGED, CLAIM])
    assert found.touched(Act.CREATE) == {"PersistentVolumeClaim data"}
    assert found.touched(Act.CHANGE) == {"Service chromadb-svc"}
    assert found.intents[1].differences == (FieldChange("spec.port", "80", "81"),)


def test_what_only_the_release_before_had_goes_but_for_claims() -> None:
    found = planned(
        Cluster([HOME, SERVICE, CLAIM]), [HOME], [HOME, SERVICE, CLAIM, obj("Secret", "long-gone")]
    )
    assert found.touched() == {"Service chromadb-svc"}
    assert found.touched(Act.REMOVE) == {"Service chromadb-svc"}


def test_before_there_is_a_namespace_the_cluster_can_judge_nothing_in_it() -> None:
    found = planned(Cluster([], {"chromadb-svc": ApiError(404, "NotFound", "no namespace")}), [HOME, SERVICE])
    assert found.touched(Act.CREATE) == {"Namespace chroma", "Service chromadb-svc"}
    assert "namespace chroma does not exist yet" in "\n".join(found.lines())


def test_somebody_elses_namespace_is_used_as_it_is() -> None:
    (intent,) = planned(Cluster([obj("Namespace", "chroma", ours=False)]), [HOME]).intents
    assert (intent.act, intent.remarks) == (Act.LEAVE, ("it is somebody else's, and used as it is",))


def test_what_the_cluster_would_refuse_is_told_with_its_remedy() -> None:
    refused = ApiError(422, "Invalid", "spec is immutable after creation except resources.requests")
    other = obj("PersistentVolumeClaim", "data", spec={"class": "b"})
    found = planned(Cluster([HOME, CLAIM], {"data": refused}), [HOME, other])
    (line,) = found.obstacles()
    assert line.startswith("PersistentVolumeClaim data: Invalid: spec is immutable")
    assert "keep the claim's class" in line
    assert found.intents[1].differences == (FieldChange("spec.class", "a", "b"),)


def test_a_webhook_that_gives_no_answer_is_foreseen_before_there_is_a_namespace() -> None:
    silent = ApiError(500, "InternalError", 'failed calling webhook "x": service "y" not found')
    found = planned(Cluster([], {"chromadb-svc": silent}), [HOME, SERVICE, CLAIM])
    (line,) = found.obstacles()
    assert line.startswith("Service chromadb-svc: InternalError")
    assert 'webhook "x" gave no answer' in line


def test_what_only_another_namespace_forbids_is_no_obstacle() -> None:
    denied = ApiError(403, "Forbidden", 'admission webhook "x" denied the request: not in default')
    assert planned(Cluster([], {"chromadb-svc": denied}), [HOME, SERVICE]).obstacles() == []


def test_any_status_refuses_one_object_and_the_others_are_told_as_ever() -> None:
    silent = ApiError(500, "InternalError", 'failed calling webhook "x": no endpoints available')
    found = planned(Cluster([HOME], {"chromadb-svc": silent}), [HOME, SERVICE, CLAIM])
    assert found.touched(Act.CREATE) == {"Service chromadb-svc", "PersistentVolumeClaim data"}
    (line,) = found.obstacles()
    assert line.startswith("Service chromadb-svc: InternalError: failed calling webhook")


def test_a_cluster_that_does_not_answer_is_no_judgement() -> None:
    with pytest.raises(ApiError):
        planned(Cluster([HOME], {"chromadb-svc": ApiError(0, "Unanswered", "refused")}), [HOME, SERVICE])


def test_a_webhook_that_no_dry_run_may_ask_is_no_obstacle() -> None:
    undecided = ApiError(400, "BadRequest", 'admission webhook "x" does not support dry run')
    found = planned(Cluster([HOME], {"chromadb-svc": undecided}), [HOME, SERVICE])
    assert found.obstacles() == []
    assert "does not support dry run" in "\n".join(found.lines())


@dataclass
class Place:
    outcome: Plan | ApiError
    accept_insecure: Callable[[object], Callable[[str], None] | None]
    former: Any = None

    forbids = Namespace.forbids

    @property
    def site(self) -> Self:
        return self

    def recalled(self) -> Any:
        return self.former

    def plan(self, _release: object) -> Plan:
        if isinstance(self.outcome, ApiError):
            raise self.outcome
        return self.outcome


@pytest.mark.parametrize(
    ("outcome", "code", "last"),
    [
        (
            Plan("x", "chroma", (Intent("Service", "a", Act.CREATE),), begins=False),
            0,
            "1 to create, 0 to change",
        ),
        (
            Plan("x", "chroma", (Intent("Service", "a", Act.CHANGE, obstacle="why"),), begins=False),
            1,
            "an apply would be refused over 1 of them, and change nothing",
        ),
        (ApiError(403, "Forbidden", "may not get secrets"), 1, "no plan can be made: "),
    ],
)
def test_the_exit_code_says_whether_the_cluster_would_take_it(
    outcome: Plan | ApiError, code: int, last: str
) -> None:
    said: list[str] = []
    assert run(_call(outcome, "gateway", said)) == code
    assert said[-1].startswith(last)


@pytest.mark.parametrize(("accepted", "code"), [(False, 1), (True, 0)])
def test_a_release_that_anybody_may_use_is_told_as_one_that_an_apply_would_refuse(
    accepted: bool, code: int
) -> None:
    said: list[str] = []
    nothing = Plan("x", "chroma", (), begins=False)
    assert run(_call(nothing, "documented", said, accept_insecure=accepted)) == code
    assert any("asks nobody for a token" in line for line in said)
    assert said[-1].startswith("an apply would be refused") is not accepted


def _call(
    outcome: Plan | ApiError, name: str, said: list[str], *, accept_insecure: bool = False, former: Any = None
) -> Call:
    place = Place(outcome, lambda _release: print if accept_insecure else None, former)
    return Call(cast("Any", place), load(name), "r1", Deadlines(), "", said.append, lambda _: None)


def _limited(**limits: str) -> Object:
    containers = [{"name": "chroma", "resources": {"limits": limits}}]
    return obj("StatefulSet", "chroma", spec={"template": {"spec": {"containers": containers}}})


@pytest.mark.parametrize(
    ("before", "after", "falls"),
    [
        ({"memory": "3Gi"}, {"memory": "2Gi"}, "the limit of memory of container chroma falls: 3Gi -> 2Gi"),
        ({"memory": "2048Mi"}, {"memory": "2Gi"}, None),
        ({"memory": "2Gi"}, {"memory": "3Gi"}, None),
        ({"cpu": "1"}, {"cpu": "500m"}, "the limit of cpu of container chroma falls: 1 -> 500m"),
        ({}, {"cpu": "1"}, "the limit of cpu of container chroma falls: no limit -> 1"),
        ({"cpu": "1"}, {}, None),
    ],
    ids=str,
)
def test_a_limit_that_falls_wants_consent(
    before: dict[str, str], after: dict[str, str], falls: str | None
) -> None:
    cluster = cast("Kube", Cluster([HOME, _limited(**before)]))
    seen = Situation(namespace=HOME)
    found = plan(cluster, "release", "chroma", [_limited(**after)], [], seen=seen)
    said = [line for line in found.consequences() if "limit" in line]
    assert said == ([falls] if falls else [])


def test_a_pod_that_is_replaced_and_another_token_want_consent() -> None:
    cluster = cast("Kube", Cluster([HOME, _limited(memory="2Gi")]))
    found = plan(cluster, "release", "chroma", [_limited(memory="3Gi")], [], seen=Situation(namespace=HOME))
    assert any("its pod is replaced" in line for line in found.consequences())
    assert not found.token_changes
    assert any(
        "the token changes" in line
        for line in Plan("t", "chroma", (), False, token_changes=True).consequences()
    )


def test_a_host_that_would_lead_to_the_release_no_more_wants_consent() -> None:
    before = obj("Ingress", "chroma-ingress", spec={"rules": [{"host": "chroma-b.example.com"}]})
    after = obj("Ingress", "chroma-ingress", spec={"rules": [{"host": "chroma.example.com"}]})
    assert planned(Cluster([HOME, before]), [HOME, after]).consequences() == [
        "the host chroma-b.example.com no longer leads to the release: who uses it gets no answer"
    ]
    assert planned(Cluster([HOME]), [HOME, after]).consequences() == []


def test_the_record_of_what_lives_shows_none_of_its_fields() -> None:
    intent = Intent("Secret", "chroma-last-live", Act.CHANGE, (FieldChange("data[a]", "b", "c"),))
    assert list(intent.lines()) == ["change  Secret chroma-last-live, the record of what lives"]


@pytest.mark.parametrize(
    ("stated", "says"),
    [
        ((), 'what lives is the release "gateway" as it stands in this checkout: no --release and no --set'),
        (("claim.size=20Gi",), "what lives stays as it is with these options: --set claim.size=20Gi"),
    ],
    ids=str,
)
def test_a_plan_that_users_would_notice_names_the_options_of_what_lives(
    stated: tuple[str, ...], says: str
) -> None:
    said: list[str] = []
    refused = Plan("x", "chroma", (Intent("Service", "a", Act.CHANGE, obstacle="why"),), begins=False)
    run(_call(refused, "gateway", said, former=SimpleNamespace(release=load("gateway", stated))))
    assert said[-1] == says
