"""The evidence of a failure shows what the cluster showed, before anything was cleaned up, and no secret."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.core.promises import PromiseBroken
from support.core.redaction import MARK, Redactor
from support.kube.errors import ApiError
from support.reporting.evidence import EvidenceRecorder, bundle_directory, differences, look, take
from support.reporting.failure import Failure
from support.reporting.scenario import Scenario
from tests.miniature import ROOT, Miniature

TOKEN = "a-token-of-enough-characters"
SCENARIO = Scenario("features/a.feature", 3, "A", "It holds", "It holds", ("core",))


def _object(kind: str, name: str, **rest: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "chroma", "managedFields": [{"manager": "somebody"}]}
    return {"kind": kind, "metadata": metadata, **rest}


POD = _object(
    "Pod",
    "chroma-0",
    spec={"nodeName": "n1"},
    status={
        "phase": "Running",
        "initContainerStatuses": [
            {"name": "gateway", "ready": True, "restartCount": 0, "state": {"running": {}}, "lastState": {}},
        ],
        "containerStatuses": [
            {
                "name": "chroma",
                "ready": False,
                "restartCount": 2,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
                "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
            },
        ],
    },
)
EVENT = _object(
    "Event",
    "chroma-0.1",
    type="Warning",
    reason="BackOff",
    message=f"Back-off restarting, the token being {TOKEN}",
    count=3,
    lastTimestamp="2026-01-01T00:00:02Z",
    involvedObject={"kind": "Pod", "name": "chroma-0"},
)
EARLIER = EVENT | {
    "reason": "Pulled",
    "message": "pulled",
    "count": 1,
    "lastTimestamp": "2026-01-01T00:00:01Z",
}
SECRET = _object(
    "Secret", "chroma-auth", data={"token": base64.b64encode(TOKEN.encode()).decode(), "other": "eA=="}
)
RENDERED = [
    {"kind": "ConfigMap", "metadata": {"name": "gateway"}, "data": {"haproxy.cfg": "as rendered"}},
    {"kind": "Secret", "metadata": {"name": "chroma-auth"}, "stringData": {"token": TOKEN, "other": "x"}},
    {"kind": "Service", "metadata": {"name": "chromadb-svc"}, "spec": {"ports": [{"port": 8000}]}},
]


class Cluster:
    """Stands for `Kube`: some objects, some logs, and silence from a request on."""

    def __init__(self, objects: list[dict[str, Any]], silent_after: int = 99) -> None:
        self.objects = objects
        self.left = silent_after

    def list(self, kind: str, _namespace: str) -> list[dict[str, Any]]:
        self._answer()
        return [obj for obj in self.objects if obj["kind"] == kind]

    def get(self, *_: str) -> None:
        self._answer()

    def logs(
        self,
        _namespace: str,
        _pod: str,
        container: str,
        *,
        tail: int,
        previous: bool = False,
        seconds: int | None = None,
    ) -> str:
        self._answer()
        if container == "gateway":
            raise ApiError(400, "BadRequest", "container gateway is waiting to start")
        if seconds is not None:
            return "".join(f"{one} s ago\n" for one in range(seconds, 0, -1))
        return "".join(f"{'before' if previous else 'now'} {number}\n" for number in range(tail))

    def _answer(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise ApiError(0, "Unanswered", "connection refused")


def _look(cluster: Any, rendered: Any = None) -> dict[str, str]:
    return look(cluster, "chroma", rendered)


def test_a_view_shows_pods_events_logs_and_objects() -> None:
    config = _object("ConfigMap", "gateway", data={"haproxy.cfg": "as somebody changed it"})
    view = _look(Cluster([POD, EVENT, EARLIER, SECRET, config]), RENDERED)
    assert view["pods.txt"] == (
        "chroma-0: Running, CrashLoopBackOff; gateway: restarts 0, running; "
        "chroma: restarts 2, waiting, reason CrashLoopBackOff, message back-off 10s; "
        "chroma: before: terminated, reason OOMKilled, exitCode 137\n"
    )
    first, second = view["events.txt"].splitlines()
    assert first.endswith("Pulled: pulled")
    assert second.endswith(f"BackOff: Back-off restarting, the token being {TOKEN} (x3)")
    assert view["chroma-0.chroma.log"].startswith("now 0\n")
    assert view["chroma-0.chroma.previous.log"].startswith("before 0\n")
    assert view["chroma-0.gateway.log"] == "container gateway is waiting to start\n"
    assert "chroma-0.gateway.previous.log" not in view
    assert {obj["kind"] for obj in yaml.safe_load_all(view["live.yaml"])} == {"Pod", "Secret", "ConfigMap"}
    assert "managedFields" not in view["live.yaml"]
    assert "-  haproxy.cfg: as rendered\n+  haproxy.cfg: as somebody changed it" in view["differences.txt"]
    assert "rendered Service/chromadb-svc" in view["differences.txt"], "what is missing differs, too"
    assert "chroma-auth" not in view["differences.txt"], (
        "a Secret is as it was rendered, whatever it was written under"
    )


def test_differences_are_those_in_what_was_rendered() -> None:
    rendered = {"kind": "A", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 1}], "replicas": 1}}
    live = {
        "kind": "A",
        "metadata": {"name": "a", "uid": "filled in"},
        "spec": {"ports": [{"port": 1, "protocol": "TCP"}], "replicas": 1, "policy": "filled in"},
        "status": {"filled": "in"},
    }
    assert differences(rendered, live) == ""
    live["spec"]["ports"][0]["port"] = 2  # type: ignore[index]  # an object of any shape
    assert "-  - port: 1\n+  - port: 2" in differences(rendered, live)


@pytest.mark.parametrize("answers", [0, 1, 2, 5])
def test_a_cluster_that_falls_silent_hides_no_failure(answers: int) -> None:
    view = _look(Cluster([POD, EVENT], silent_after=answers))
    assert view["incomplete.txt"] == "the cluster did not tell more: 0 Unanswered: connection refused\n"
    assert ("pods.txt" in view) == (answers > 0)
    assert ("events.txt" in view) == (answers > 2)


def test_a_bundle_has_what_was_seen_and_no_secret(tmp_path: Path) -> None:
    redactor = Redactor()
    redactor.learn(TOKEN)
    config = _object("ConfigMap", "gateway", data={"haproxy.cfg": f"holds {TOKEN}"})
    view = _look(Cluster([POD, EVENT, SECRET, config]), RENDERED)
    stale = tmp_path / "bundle" / "stale.txt"
    stale.parent.mkdir()
    stale.touch()
    told = take(tmp_path / "bundle", ["promised: it holds"], {"chroma": view}, redactor)
    files = {
        file.relative_to(tmp_path / "bundle").as_posix(): file.read_text() for file in tmp_path.rglob("*.*")
    }
    assert not stale.exists()
    assert set(files) == {"failure.txt"} | {f"chroma/{name}" for name in view}
    everything = told + "".join(files.values())
    for form in (TOKEN, base64.b64encode(TOKEN.encode()).decode(), "eA=="):
        assert form not in everything
    assert told.startswith("promised: it holds\nchroma/pods.txt\n    chroma-0: Running")
    assert f"the token being {MARK}" in told
    assert "chroma/chroma-0.chroma.log (8 of 500 lines)\n    now 492\n" in told
    assert files["failure.txt"] == f"{told}\n"


def test_a_failure_says_what_was_promised_what_was_seen_and_where() -> None:
    try:
        yaml.safe_load("{")
    except yaml.YAMLError as error:
        failure = Failure(SCENARIO, "Then it holds", 7, error)
    promised, seen, where = failure.sentences(ROOT)
    assert promised == "promised: Then it holds  (features/a.feature:7)"
    assert seen.startswith("seen:     while parsing a flow node\n          expected the node content")
    assert where == "where:    features/a.feature:7", (
        "where no step of ours has failed, the feature says where"
    )
    broken = Failure(SCENARIO, "Then it holds", 7, AssertionError("3 records\nassert 3 == 4"))
    assert broken.sentences(ROOT)[1] == "seen:     3 records"
    assert Failure(SCENARIO, "Then it holds", 7, KeyError()).sentences(ROOT)[1] == "seen:     KeyError"


def test_a_broken_promise_stands_beside_its_step_and_what_was_seen_below() -> None:
    failure = Failure(SCENARIO, "Then there are 4 of them", 7, PromiseBroken("4 collections", 3))
    assert failure.sentences(ROOT)[:2] == [
        "promised: Then there are 4 of them: 4 collections  (features/a.feature:7)",
        "seen:     3",
    ]


def test_each_test_has_a_directory_of_its_own() -> None:
    names = [
        "features/a.feature::test_it_holds",
        "features/b.feature::test_it_holds",
        "features/a.feature::test_it[its image cannot be pulled-no/such:image]",
    ]
    told = [bundle_directory(Path("e"), name).as_posix() for name in names]
    assert told == ["e/a/it_holds", "e/b/it_holds", "e/a/it-its-image-cannot-be-pulled-no-such-image"]


def test_a_refused_release_is_seen_before_it_gives_way() -> None:
    evidence_recorder = EvidenceRecorder()
    cluster: Any = Cluster([POD, EVENT])
    evidence_recorder.refused(cluster, "chroma", RENDERED)
    cluster.objects.clear()
    assert "CrashLoopBackOff" in evidence_recorder.views["chroma-refused"]["pods.txt"]
    evidence_recorder.forget()
    assert evidence_recorder.views == {}


def test_what_was_logged_since_the_act_began_is_shown_by_itself(tmp_path: Path) -> None:
    cluster: Any = Cluster([POD])
    view = look(cluster, "chroma", None, 3)
    assert view["chroma-0.chroma.followed.log"] == "3 s ago\n2 s ago\n1 s ago\n"
    assert view["chroma-0.chroma.log"].startswith("now 0\n")
    assert view["chroma-0.chroma.previous.log"].startswith("before 0\n")
    told = take(tmp_path / "bundle", [], {"chroma": view}, Redactor())
    assert "chroma/chroma-0.chroma.followed.log\n    3 s ago\n" in told
    assert "chroma/chroma-0.chroma.log" not in told, "in short the act's own lines are enough"
    quiet = take(tmp_path / "bundle", [], {"chroma": look(cluster, "chroma", None, 0)}, Redactor())
    assert "chroma/chroma-0.chroma.log (8 of 500 lines)" in quiet, (
        "where nothing was logged, the end of the log tells"
    )


def test_a_witness_follows_logs_from_the_beginning_of_the_act(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster: Any = Cluster([POD])
    evidence_recorder, now = EvidenceRecorder(), [100.0]
    monkeypatch.setattr("support.reporting.evidence.time.monotonic", lambda: now[0])
    evidence_recorder.begin_act()
    now[0] += 1.5
    assert evidence_recorder.look(cluster, "chroma")["chroma-0.chroma.followed.log"] == "2 s ago\n1 s ago\n"


def test_a_known_trouble_is_named_with_what_to_do() -> None:
    error = AssertionError("NotFoundError: Collection [feld-notes] does not exist")
    *_, trouble, remedy = Failure(SCENARIO, "Then it holds", 7, error).sentences(ROOT)
    assert trouble == "trouble:  there is no such collection"
    assert remedy.startswith("to do:    list the collections")
    theirs = ApiError(404, "NotFound", "Collection x does not exist")
    assert len(Failure(SCENARIO, "Then it holds", 7, theirs).sentences(ROOT)) == 3


def test_objects_that_keep_callers_away_are_told() -> None:
    statefulset = _object("StatefulSet", "chroma", spec={"replicas": 1})
    view = _look(Cluster([POD, statefulset]))
    assert view["troubles.txt"].startswith("no pod of the release is ready: there is none")
    assert "troubles.txt" not in _look(Cluster([POD]))


STEPS = """
@given("a release that was refused", target_fixture="refusal")
def refusal(run):
    run.evidence_recorder.views["chroma-refused"] = {"pods.txt": "chroma-0: ImagePullBackOff\\n"}

@then("that was expected")
def expected(): pass

@then("that was not expected")
def unexpected():
    raise AssertionError("it is not live")
"""


def test_an_expected_refusal_is_no_evidence_of_a_later_failure(miniature: Miniature) -> None:
    miniature.feature(
        "refusals",
        """\
        Feature: Refusals
          Scenario: One is unexpected
            Given a release that was refused
            Then that was not expected

          Scenario: Another fails for it
            Then that was not expected

          Scenario: One is expected
            Given a release that was refused
            Then that was expected

          Scenario: Another fails for its own reasons
            Then that was not expected
        """,
    )
    miniature.steps(STEPS)
    miniature.run("features/")
    bundles = miniature.root / "reports" / "evidence" / "refusals"
    seen = {bundle.name for bundle in bundles.iterdir() if (bundle / "chroma-refused" / "pods.txt").exists()}
    assert seen == {"one_is_unexpected", "another_fails_for_it"}
    told = (bundles / "another_fails_for_it" / "failure.txt").read_text()
    assert "chroma-refused/pods.txt\n    chroma-0: ImagePullBackOff" in told
