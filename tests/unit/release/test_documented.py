"""Objects are compared with what is documented, and the differences that are told are real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.checks.objects import filled, unlike
from support.release import documented
from support.release.catalogue import load
from support.release.documented import ABSENT, DIFFERENCES, OBJECTS, overlaid
from tests.samples import rendered

if TYPE_CHECKING:
    from pathlib import Path

SHAPE: dict[str, Any] = {
    "metadata": {"labels": {"app": "chroma"}},
    "spec": {
        "ports": {"http": {"port": 80}},
        "hosts": ["{host}"],
        "initContainers": ABSENT,
    },
}
SEEN: dict[str, Any] = {
    "kind": "A",
    "metadata": {"labels": {"app": "chroma", "more": "is fine"}},
    "spec": {"ports": [{"name": "http", "port": 80, "protocol": "TCP"}], "hosts": ["chroma.example.com"]},
}
FACTS = {"host": "chroma.example.com"}


def test_what_kubernetes_adds_is_no_difference() -> None:
    assert list(unlike(filled(SHAPE, FACTS), SEEN)) == []


@pytest.mark.parametrize(
    ("seen", "line"),
    [
        ({"metadata": {"labels": {"app": "other"}}}, "metadata.labels.app: promised 'chroma', seen 'other'"),
        ({"metadata": {"labels": ABSENT}}, "metadata.labels: promised {'app': 'chroma'}, seen nothing"),
        ({"metadata": "bare"}, "metadata: promised {'labels': {'app': 'chroma'}}, seen 'bare'"),
        ({"spec": {"ports": [{"name": "http", "port": 81}]}}, "spec.ports.http.port: promised 80, seen 81"),
        (
            {"spec": {"ports": [*SEEN["spec"]["ports"], {"name": "debug"}]}},
            "spec.ports.debug: promised nothing of this name",
        ),
        ({"spec": {"ports": []}}, "spec.ports.http: promised {'port': 80}, seen nothing"),
        ({"spec": {"hosts": ["a"]}}, "spec.hosts[0]: promised 'chroma.example.com', seen 'a'"),
        ({"spec": {"hosts": []}}, "spec.hosts: promised ['chroma.example.com'], seen []"),
        ({"spec": {"initContainers": [{}]}}, "spec.initContainers: promised nothing, seen [{}]"),
    ],
)
def test_each_difference_is_named(seen: dict[str, Any], line: str) -> None:
    assert list(unlike(filled(SHAPE, FACTS), overlaid(SEEN, seen))) == [line]


def test_one_difference_says_nothing_of_the_other_names_in_a_list() -> None:
    more = overlaid(SEEN, {"spec": {"ports": [*SEEN["spec"]["ports"], {"name": "debug"}]}})
    assert list(unlike({"spec": {"ports": {"http": {"port": 80}}}}, more, closed=False)) == []


@pytest.mark.parametrize("words", DIFFERENCES)
def test_what_is_told_as_a_difference_is_one(words: str) -> None:
    difference = DIFFERENCES[words]
    shape = OBJECTS[difference.of].shape
    assert overlaid(shape, difference.instead) != shape


def test_a_release_is_expected_to_differ_as_it_tells() -> None:
    release = load("gateway")
    told = documented.differences(release)
    assert {"a gateway checks the token", "its probes start without delay"} <= told.keys()
    assert "its token has the variable names of its version" not in told
    (variables,) = (
        one["env"]
        for one in documented.expected("StatefulSet", release)["spec"]["template"]["spec"][
            "containers"
        ].values()
    )
    assert variables["CHROMA_SERVER_AUTH_CREDENTIALS"] is ABSENT
    assert variables["CHROMA_PORT"] == {"value": "8001"}


@pytest.mark.parametrize("release", ["gateway", "native", "documented"])
@pytest.mark.parametrize("what", [what for what, one in OBJECTS.items() if one.kind != "Secret"])
def test_each_release_renders_to_what_is_expected_of_it(tmp_path: Path, release: str, what: str) -> None:
    one = OBJECTS[what]
    facts = {
        "namespace": "chroma",
        "host": "chroma.example.com",
        "image": load(release).chroma.image,
        "harbor_registry": "harbor.example.com",
        "library_project": "library",
        "storage_class_name": "k8s-hostpath",
        "primary_ingress_class": "nginx",
        "gateway_name": "thinkube-gateway",
        "gateway_namespace": "gateway-system",
        "gateway_section": "https",
        "gateway_http_section": "http",
    }
    (obj,) = [
        obj
        for obj in rendered(tmp_path, release, exposure="route" if one.kind == "HTTPRoute" else "ingress")
        if (obj["kind"], obj["metadata"]["name"]) == (one.kind, filled(one.name, facts))
    ]
    shape = {
        part: value for part, value in documented.expected(what, load(release)).items() if part != "status"
    }
    assert list(unlike(filled(shape, facts), _as_stored(obj))) == []


def _as_stored(obj: dict[str, Any]) -> dict[str, Any]:
    """Return an object with what the API server fills in and the documentation shows."""
    if obj["kind"] != "HTTPRoute":
        return obj
    rules = [
        {**rule, "backendRefs": [{"kind": "Service", **one} for one in rule["backendRefs"]]}
        if "backendRefs" in rule
        else rule
        for rule in obj["spec"]["rules"]
    ]
    return {**obj, "spec": {**obj["spec"], "rules": rules}}
