"""What an audit log tells of an account is held against its rights: neither more was asked, nor less is granted."""

import json
from pathlib import Path
from typing import Any

from support.platform.audit import Use, allows, beyond, intrusions, of_event, unused, uses
from support.platform.rights import Grant

ME = "system:serviceaccount:chroma-conformance:verify"


def event(verb: str = "get", resource: str = "pods", **changes: Any) -> dict[str, Any]:
    subresource = changes.pop("subresource", None)
    named = {"resource": resource, "namespace": "chroma", "name": "chroma-0", "apiVersion": "v1"}
    asked = named | ({"subresource": subresource} if subresource else {}) | changes.pop("asked", {})
    return {
        "verb": verb,
        "user": {"username": ME},
        "objectRef": asked,
        "requestURI": "/api/v1/namespaces/chroma/pods/chroma-0",
        "responseStatus": {"code": 200},
        "annotations": {"authorization.k8s.io/decision": "allow"},
        **changes,
    }


def used(**changes: Any) -> Use:
    return Use(
        **{
            "verb": "get",
            "group": "",
            "resource": "pods",
            "namespace": "chroma",
            "name": "chroma-0",
            **changes,
        }
    )


def test_a_request_is_what_a_right_is_for() -> None:
    assert list(of_event(event(), ME)) == [used()]
    assert list(of_event(event(subresource="log"), ME)) == [used(resource="pods/log")]


def test_others_requests_and_questions_about_ones_rights_are_nothing() -> None:
    assert not list(of_event(event(user={"username": "kubernetes-admin"}), ME))
    assert not list(of_event(event(objectRef=None), ME))
    assert not list(of_event(event(asked={"apiGroup": "authorization.k8s.io"}), ME))


def test_an_apply_that_makes_its_object_takes_two_rights() -> None:
    made = event("patch", responseStatus={"code": 201})
    assert [use.verb for use in of_event(made, ME)] == ["patch", "create"]


def test_a_refusal_by_admission_is_no_missing_right() -> None:
    admission = event(responseStatus={"code": 403})
    rbac = event(responseStatus={"code": 403}, annotations={"authorization.k8s.io/decision": "forbid"})
    assert [use.refused for one in (admission, rbac) for use in of_event(one, ME)] == [False, True]


def test_half_a_line_is_left_for_later(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text(json.dumps(event()) + "\n" + json.dumps(event("list"))[:-3])
    assert list(uses(log, ME)) == [used()]


def test_a_right_is_for_its_place_and_its_name() -> None:
    assert allows(Grant("get", "", "pods"), used())
    assert allows(Grant("get", "", "pods", "chroma", "chroma-0"), used())
    assert not allows(Grant("get", "", "pods", "default"), used())
    assert not allows(Grant("get", "", "pods", None, "chroma-1"), used())
    assert not allows(Grant("get", "", "pods", "chroma", "chroma-0"), used(verb="list", name=""))


def test_what_is_asked_beyond_is_named_once() -> None:
    asked = [used(), used(verb="delete"), used(verb="delete")]
    assert beyond([Grant("get", "", "pods")], asked) == [used(verb="delete")]
    assert str(used(verb="delete")) == "delete of pods chroma-0 in chroma"


def test_a_right_that_nothing_needs_is_found_unless_it_is_excepted() -> None:
    rights = [Grant("get", "", "pods"), Grant("list", "", "pods"), Grant("delete", "", "pods")]
    assert unused(rights, [used()]) == rights[1:]
    assert unused(rights, [used()], lambda right: right.verb == "delete") == rights[1:2]


def test_what_is_written_elsewhere_is_an_intrusion_and_a_look_or_a_dry_run_is_none() -> None:
    asked = [
        used(namespace="default"),
        used(namespace="default", verb="patch", dry=True),
        used(namespace="default", resource="pods/exec"),
        used(namespace="default", verb="patch"),
        used(verb="patch"),
    ]
    assert intrusions(asked, {"chroma"}.__contains__) == [asked[2], asked[3]]
