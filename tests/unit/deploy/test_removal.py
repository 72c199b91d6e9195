"""What hides whether a namespace holds anything of others keeps it, and is named; what is only measured keeps nothing."""

from __future__ import annotations

from typing import Any

import pytest

from support.deploy import removal
from support.kube.client import Kube
from support.kube.discovery import Contents
from support.kube.errors import ApiError

Object = dict[str, Any]


def resource(kind: str, plural: str, verbs: tuple[str, ...] = ("list", "delete")) -> Object:
    return {
        "resource": plural,
        "responseKind": {"kind": kind},
        "scope": "Namespaced",
        "verbs": list(verbs),
    }


CORE = {
    "metadata": {},
    "versions": [{"version": "v1", "resources": [resource("ConfigMap", "configmaps")]}],
}
METRICS = {
    "metadata": {"name": "metrics.k8s.io"},
    "versions": [{"version": "v1beta1", "resources": [resource("PodMetrics", "pods", ("list", "get"))]}],
}
DEAD = {
    "metadata": {"name": "metrics.k8s.io"},
    "versions": [{"version": "v1beta1", "freshness": "Stale"}],
}
CUSTOM = {
    "metadata": {"name": "example.com"},
    "versions": [{"version": "v1", "resources": [resource("Thing", "things")]}],
}


class Cluster(Kube):
    """A cluster that answers by the path: with an object, or with the status that stands there."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {path.replace("__", "/"): answer for path, answer in answers.items()}

    def _json(self, _method: str, path: str, *_: Any, **__: Any) -> Object:  # type: ignore[override]  # takes what it needs
        answer = self.answers.get(path, {})
        if isinstance(answer, int):
            raise ApiError(answer, "", f"{path} cannot be looked at")
        if isinstance(answer, ApiError):
            raise answer
        return dict(answer)


def cluster(*groups: Object, **answers: Any) -> Cluster:
    held = {"items": [{"metadata": {"name": "notes"}}]}
    return Cluster(
        api={"items": [CORE]},
        apis={"items": list(groups)},
        api__v1__namespaces__x__configmaps=held,
        **answers,
    )


def test_an_api_whose_server_is_gone_is_unseen_and_no_error() -> None:
    found = cluster(DEAD).everything("x")
    assert [obj["metadata"]["name"] for obj in found.objects] == ["notes"]
    assert found.unseen == ("v1beta1.metrics.k8s.io",)


def test_what_is_only_measured_is_nothing_that_a_namespace_holds() -> None:
    assert cluster(METRICS).everything("x") == cluster().everything("x")


@pytest.mark.parametrize("status", [500, 503, 504])
def test_an_api_that_was_reached_once_and_fails_now_is_unseen(status: int) -> None:
    failing = cluster(CUSTOM, **{"apis/example.com/v1/namespaces/x/things": status})
    found = failing.everything("x")
    assert found.unseen == ("v1.example.com",)


def test_what_may_not_be_listed_is_named_and_is_no_silent_api() -> None:
    found = cluster(CUSTOM, **{"apis/example.com/v1/namespaces/x/things": 403}).everything("x")
    assert (found.unseen, found.forbidden) == ((), ("things.example.com",))


@pytest.mark.parametrize("status", [404, 405])
def test_what_is_not_there_any_more_hides_nothing(status: int) -> None:
    gone = cluster(CUSTOM, **{"apis/example.com/v1/namespaces/x/things": status})
    assert gone.everything("x").unseen == ()


def test_a_discovery_that_fails_hides_all_that_it_would_tell() -> None:
    failing = Cluster(api={"items": [CORE]}, apis=503, api__v1__namespaces__x__configmaps={"items": []})
    assert failing.everything("x").unseen == ("/apis",)


def test_a_cluster_that_does_not_answer_is_no_unseen_api() -> None:
    with pytest.raises(ApiError):
        Cluster(api=ApiError(0, "Unanswered", "Connection refused")).everything("x")


def test_why_a_namespace_stays_is_told_with_what_to_do() -> None:
    hidden = removal.why_kept("chroma", Contents([], ("v1beta1.metrics.k8s.io",)))
    assert "kubectl delete apiservice v1beta1.metrics.k8s.io" in hidden
    closed = removal.why_kept("chroma", Contents([], (), ("things.example.com",)))
    assert "this user may not list things.example.com there; let an administrator grant that" in closed
    foreign = [{"kind": "ConfigMap", "metadata": {"name": "notes"}}]
    assert "ConfigMap notes" in removal.why_kept("chroma", Contents(foreign, ()))
    assert removal.why_kept("chroma", Contents([], ())) == ""
