"""Two versions of an object are compared field by field, and no secret is shown."""

from typing import Any

import pytest

from support.kube.diff import differences, wanted


def obj(kind: str = "Service", **rest: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "x"}, **rest}


def told(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return list(map(str, differences(before, after)))


def pods(*containers: dict[str, Any]) -> dict[str, Any]:
    return obj(spec={"containers": list(containers)})


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ({}, {}, []),
        ({"spec": {"a": 1}}, {"spec": {"a": 2}}, ["spec.a: 1 -> 2"]),
        ({"spec": {}}, {"spec": {"a": "x"}}, ["spec.a: x is added"]),
        ({"spec": {"a": True}}, {"spec": {}}, ["spec.a: True is taken away"]),
        ({"spec": {"a.b/c": "x"}}, {"spec": {"a.b/c": "y"}}, ["spec[a.b/c]: x -> y"]),
        ({"spec": {"a": [1, 2]}}, {"spec": {"a": [1, 3, 4]}}, ["spec.a[1]: 2 -> 3", "spec.a[2]: 4 is added"]),
        ({"spec": {"a": "x  \n y"}}, {"spec": {"a": "z" * 200}}, [f"spec.a: x y -> {'z' * 80} …"]),
    ],
)
def test_each_field_is_told(before: dict[str, Any], after: dict[str, Any], lines: list[str]) -> None:
    assert told(obj(**before), obj(**after)) == lines


def test_items_that_have_names_go_by_them() -> None:
    one, other = {"name": "one", "image": "a"}, {"name": "other", "image": "b"}
    assert told(pods(one, other), pods(other, one)) == []
    assert told(pods(one, other), pods({"name": "new", "image": "c"}, {**other, "image": "d"})) == [
        "spec.containers[one]: {'name': 'one', 'image': 'a'} is taken away",
        "spec.containers[other].image: b -> d",
        "spec.containers[new]: {'name': 'new', 'image': 'c'} is added",
    ]


def test_what_the_server_keeps_for_itself_is_no_difference() -> None:
    kept = {"resourceVersion": "1", "uid": "u", "managedFields": [{"time": "now"}], "generation": 3}
    assert told(obj(), {**obj(), "metadata": {"name": "x", **kept}, "status": {"ready": True}}) == []


@pytest.mark.parametrize(
    ("kind", "part"), [("Secret", "data"), ("Secret", "stringData"), ("ConfigMap", "data")]
)
@pytest.mark.parametrize("name", ["token", "tls.key"])
def test_values_of_secrets_are_never_shown(kind: str, part: str, name: str) -> None:
    field = f"{part}.token" if name == "token" else f"{part}[tls.key]"
    for before, after in ((None, "new-secret"), ("old-secret", "new-secret"), ("old-secret", None)):
        old, new = [obj(kind, **{part: {} if value is None else {name: value}}) for value in (before, after)]
        (line,) = told(old, new)
        assert line.startswith(f"{field}: a value that is not shown ")
        assert "secret" not in line


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
def test_a_secret_that_had_no_value_at_all_shows_none_either(kind: str) -> None:
    assert told(obj(kind), obj(kind, data={"token": "secret"})) == [
        "data: a value that is not shown is added"
    ]


def test_only_what_is_stated_is_wanted() -> None:
    live = obj(spec={"class": "a", "mode": "filled in"})
    assert [str(each) for each in wanted(live, obj(spec={"class": "b", "delay": 0, "list": []}))] == [
        "spec.class: a -> b"
    ]
