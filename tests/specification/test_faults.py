"""Every fault fits the release, changes it, and says what must catch it; one that does not is refused."""

import copy
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from cluster import embedded
from support.kube.labels import ownership
from support.release import faults
from support.release.catalogue import load, variant
from support.release.fault_fit import incompatibility
from support.release.faults import Fault, FaultError
from support.session import command_line
from support.session.collector import all_scenarios, uncatchable
from support.session.run import Run
from tests.samples import rendered, validate

ROOT = Path(__file__).parents[2]

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    return rendered(tmp_path_factory.mktemp("inventory"), namespace="chroma-gw1", run_id="r1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "spoiled.yaml"


@pytest.fixture
def fault(file: Path) -> Callable[..., Fault]:
    """Return what loads a fault with these patches, and with what else is stated."""

    def load(*patches: Manifest, **stated: Any) -> Fault:
        catch = {"feature": "access", "scenario": "s", "message": "m"}
        file.write_text(
            yaml.safe_dump({"title": "t", "why": "w", "patches": [*patches], "caught_by": catch, **stated})
        )
        return Fault.load(str(file))

    return load


# Features that no overlay can spoil, since they come before any release: tests/unit/checks/test_inventory.py breaks them.
ABOUT_NO_RELEASE = {"inventory"}


@pytest.mark.parametrize(
    ("under_test", "name", "touched"),
    [
        ("gateway", "gateway", True),
        ("gateway", "failing-readiness-probe", True),
        ("native", "failing-readiness-probe", True),
        ("native", "native", True),
        ("gateway", "native", False),
        ("gateway", "documented", False),
        ("gateway", "floating-tag", False),
        ("native", "floating-tag", False),
        ("native", "gateway", False),
    ],
)
def test_a_fault_touches_the_release_under_test_alone(under_test: str, name: str, touched: bool) -> None:
    options = SimpleNamespace(
        release=under_test,
        changes=(),
        fault="wrong-host",
        accept_insecure=False,
        verify=False,
        provider="",
        seed="1",
        patience=1.0,
    )
    run, release = Run(cast("Any", options)), variant(name, load(under_test))
    assert (run.fault_of(release) is not None) is touched
    assert (run.accept_insecure(release) is not None) is touched, (
        "what the fault does not touch is let be open"
    )


def one(objects: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [obj for obj in objects if obj["kind"] == kind and obj["metadata"]["name"] == name]
    return found


@pytest.mark.parametrize("name", faults.names())
def test_every_fault_spoils_its_release_validly(objects: list[Manifest], tmp_path: Path, name: str) -> None:
    fault = Fault.load(name)
    if fault.release or fault.exposure != "ingress":
        release = fault.release or "gateway"
        objects = rendered(tmp_path, release, namespace="chroma-gw1", run_id="r1", exposure=fault.exposure)
    before = copy.deepcopy(objects)
    spoiled = fault.spoil(objects)
    assert objects == before
    assert spoiled != objects
    validate(spoiled)


def test_every_fault_names_a_scenario_that_there_is_and_every_feature_has_faults() -> None:
    features = {(Path(each.file).stem, each.name) for each in all_scenarios(ROOT)}
    named = {name: Fault.load(name).caught_by for name in faults.names()}
    assert {
        name: catch for name, catch in named.items() if (catch.feature, catch.scenario) not in features
    } == {}
    assert {catch.feature for catch in named.values()} == {
        feature for feature, _ in features
    } - ABOUT_NO_RELEASE


def test_every_fault_has_a_name_of_its_own() -> None:
    stems = [file.stem for file in faults.FAULTS.rglob("*.yaml") if faults.PARTS not in file.parents]
    assert [stem for stem, times in Counter(stems).items() if times > 1] == []


@pytest.mark.parametrize("given", ["wild", "access/wild.yaml"])
def test_a_fault_in_the_folder_of_a_feature_need_not_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setattr(faults, "FAULTS", tmp_path)
    (tmp_path / "access").mkdir()
    catch = {"scenario": "a scenario", "message": "no redirect"}
    patches = [{"kind": "Ingress", "remove": True}]
    stated = {"title": "t", "why": "w", "patches": patches, "caught_by": catch}
    (tmp_path / "access" / "wild.yaml").write_text(yaml.safe_dump(stated))
    path = str(tmp_path / given) if given.endswith(".yaml") else given
    assert Fault.load(path).caught_by.feature == "access"


def test_an_unknown_fault_is_told_the_nearest_ones() -> None:
    with pytest.raises(
        FaultError, match=r"named 'gateway-lets-everone'; did you mean gateway-lets-everyone-in"
    ):
        Fault.load("gateway-lets-everone")
    with pytest.raises(
        FaultError, match=r"named 'xyzzy'\n  \(give the path of a file, or the name of one of"
    ):
        Fault.load("xyzzy")


def test_a_fault_that_does_not_fit_a_release_is_told_which_it_fits(fault: Callable[..., Fault]) -> None:
    native = load("native")
    assert incompatibility(Fault.load("native-knows-the-old-names"), native) is None
    told = incompatibility(Fault.load("gateway-lets-everyone-in"), native) or ""
    assert "does not fit the release 'native'; it fits --release gateway or unprotected\n" in told
    assert "names ConfigMap chroma-gateway, of which there are 0" in told
    nowhere = fault({"kind": "Job", "remove": True})
    assert "mend its file" in (incompatibility(nowhere, native) or "")


def test_a_fault_is_caught_by_its_scenario_with_its_message_and_by_nothing_else(
    fault: Callable[..., Fault],
) -> None:
    caught_by = fault({"kind": "Service", "remove": True}).caught_by
    assert caught_by.describes("features/access.feature", "s", "E  a message")
    assert not caught_by.describes("features/queries.feature", "s", "E  a message")
    assert not caught_by.describes("features/access.feature", "another", "E  a message")
    assert not caught_by.describes("features/access.feature", "s", "E  other words")


def test_a_merge_patch_merges_and_null_removes(objects: list[Manifest], fault: Callable[..., Fault]) -> None:
    patch = {"metadata": {"labels": None, "annotations": {"a": "b"}}}
    spoiled = fault({"kind": "Service", "name": "chromadb-svc", "merge": patch}).spoil(objects)
    metadata = one(spoiled, "Service", "chromadb-svc")["metadata"]
    assert metadata == {"name": "chromadb-svc", "namespace": "chroma-gw1", "annotations": {"a": "b"}}


def test_a_json_patch_reaches_into_lists(objects: list[Manifest], fault: Callable[..., Fault]) -> None:
    operation = {"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8001}
    spoiled = fault({"kind": "Service", "name": "chromadb-svc", "json": [operation]}).spoil(objects)
    assert one(spoiled, "Service", "chromadb-svc")["spec"]["ports"][0]["targetPort"] == 8001


def test_an_edit_replaces_one_passage_and_rolls_the_pod(
    objects: list[Manifest], fault: Callable[..., Fault]
) -> None:
    edit = {"at": "/data/haproxy.cfg", "replace": "-m str /api/v2", "by": "-m beg /api/v2"}
    spoiled = fault({"kind": "ConfigMap", "name": "chroma-gateway", "edit": [edit]}).spoil(objects)
    assert (
        "pathq -m beg /api/v2/heartbeat" in one(spoiled, "ConfigMap", "chroma-gateway")["data"]["haproxy.cfg"]
    )
    assert one(spoiled, "StatefulSet", "chroma") != one(objects, "StatefulSet", "chroma")


def test_an_added_object_lives_in_the_place_and_is_ours(
    objects: list[Manifest], fault: Callable[..., Fault]
) -> None:
    spoiled = fault({"kind": "ConfigMap", "name": "x", "add": {"apiVersion": "v1", "data": {}}}).spoil(
        objects
    )
    assert spoiled[-1] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x", "namespace": "chroma-gw1", "labels": ownership("r1")},
        "data": {},
    }


def test_a_removed_object_is_not_applied(objects: list[Manifest], fault: Callable[..., Fault]) -> None:
    spoiled = fault({"kind": "Ingress", "name": "chroma-ingress", "remove": True}).spoil(objects)
    assert "Ingress" not in [obj["kind"] for obj in spoiled]


def test_without_a_name_it_is_the_only_object_of_its_kind(
    objects: list[Manifest], fault: Callable[..., Fault]
) -> None:
    patch = {"metadata": {"annotations": {"a": "b"}}}
    spoiled = fault({"kind": "Namespace", "merge": patch}).spoil(objects)
    assert one(spoiled, "Namespace", "chroma-gw1")["metadata"]["annotations"] == {"a": "b"}


@pytest.mark.parametrize(
    ("patch", "wrong"),
    [
        (
            {"kind": "Service", "name": "chroma", "remove": True},
            "names Service chroma, of which there are 0; there are: Namespace chroma-gw1, Secret chroma-auth,",
        ),
        ({"kind": "Service", "merge": {"a": "b"}}, "names Service (any), of which there are 2"),
        ({"kind": "Service", "name": "chromadb-svc", "merge": {}}, "leaves Service chromadb-svc as it is"),
        (
            {"kind": "Service", "name": "chromadb-svc", "merge": {"kind": "Service"}},
            "leaves Service chromadb-svc as it is",
        ),
        (
            {"kind": "Secret", "name": "chroma-auth", "json": [{"op": "remove", "path": "/data/absent"}]},
            "cannot remove /data/absent of Secret chroma-auth",
        ),
        (
            {"kind": "Secret", "name": "chroma-auth", "json": [{"op": "add", "path": "/data"}]},
            "cannot add /data of Secret chroma-auth",
        ),
        (
            {
                "kind": "ConfigMap",
                "name": "chroma-gateway",
                "edit": [{"at": "/data/haproxy.cfg", "replace": "http", "by": "x"}],
            },
            "times, not once: 'http'",
        ),
        (
            {
                "kind": "ConfigMap",
                "name": "chroma-gateway",
                "edit": [{"at": "/data/absent", "replace": "http", "by": "x"}],
            },
            "at /data/absent that occurs there 0 times, not once: 'http'",
        ),
        (
            {"kind": "Service", "name": "chromadb-svc", "add": {"apiVersion": "v1"}},
            "adds Service chromadb-svc, which is there already",
        ),
    ],
)
def test_a_patch_that_does_not_fit_is_refused_without_the_secrets_of_the_release(
    objects: list[Manifest], fault: Callable[..., Fault], patch: Manifest, wrong: str
) -> None:
    with pytest.raises(FaultError) as raised:
        fault(patch).spoil(objects)
    assert str(raised.value).startswith("fault 'spoiled', patch 1: ")
    assert wrong in str(raised.value)
    assert one(objects, "Secret", "chroma-auth")["data"]["auth-token"] not in str(raised.value)


@pytest.mark.parametrize(
    ("patch", "wrong"),
    [
        ({"kind": "Service", "name": "x"}, "patches.0: needs exactly one of merge, json, edit, add, remove"),
        (
            {"kind": "Service", "name": "x", "remove": True, "merge": {"a": "b"}},
            "patches.0: needs exactly one of merge, json, edit, add, remove",
        ),
        ({"kind": "Service", "add": {"apiVersion": "v1"}}, "patches.0: needs the name of what it adds"),
        ({"kind": "Service", "nam": "x", "remove": True}, "patches.0.nam: unknown; did you mean name?"),
        (
            {"kind": "Service", "json": [{"op": "put", "path": "/"}]},
            "patches.0.json.0.op: Input should be 'add', 'remove',",
        ),
    ],
)
def test_what_is_wrong_in_a_patch_is_said(fault: Callable[..., Fault], patch: Manifest, wrong: str) -> None:
    with pytest.raises(FaultError) as raised:
        fault(patch)
    assert wrong in str(raised.value)


@pytest.mark.parametrize(
    ("stated", "wrong"),
    [
        ({"patches": []}, "patches: is empty: a fault changes something"),
        ({"caught_by": {"feature": "access", "scenario": "s"}}, "caught_by.message: missing"),
        ({"titel": "t"}, "titel: unknown; did you mean title?"),
        ({"extends": "nothing"}, "extends 'nothing'; there are: lua-filter"),
    ],
)
def test_what_is_wrong_in_a_fault_is_said(fault: Callable[..., Fault], stated: Manifest, wrong: str) -> None:
    with pytest.raises(FaultError) as raised:
        fault({"kind": "Service", "name": "x", "remove": True}, **stated)
    assert wrong in str(raised.value)


@pytest.mark.parametrize(("text", "wrong"), [("a: [", "is not YAML"), ("- a", "must be a mapping")])
def test_a_file_that_is_no_fault_is_said(file: Path, text: str, wrong: str) -> None:
    file.write_text(text)
    with pytest.raises(FaultError, match=wrong):
        Fault.load(str(file))
    file.unlink()
    with pytest.raises(FaultError, match="cannot be read: No such file"):
        Fault.load(str(file))


def test_a_fault_that_no_scenario_could_catch_is_refused(fault: Callable[..., Fault]) -> None:
    scenarios = all_scenarios(ROOT)
    assert uncatchable(Fault.load("gateway-lets-everyone-in").caught_by, scenarios) == ""
    nowhere = fault(
        {"kind": "Service", "remove": True}, caught_by={"feature": "acess", "scenario": "s", "message": "m"}
    )
    assert "did you mean access?" in uncatchable(nowhere.caught_by, scenarios)
    nobody = fault(
        {"kind": "Service", "remove": True},
        caught_by={"feature": "access", "scenario": "Plain http is redirectet", "message": "m"},
    )
    assert "did you mean 'Plain http is redirected'" in uncatchable(nobody.caught_by, scenarios)


def test_what_the_embedded_cluster_can_do_can_be_said_on_the_command_line() -> None:
    # As faults are tried: on a cluster that is named, whose capabilities are stated.
    assert frozenset(command_line.CAPABILITIES) >= embedded._CAPABILITIES
