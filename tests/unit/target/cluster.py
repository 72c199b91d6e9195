"""A deployment that somebody else made, and a stand-in for its cluster."""

from __future__ import annotations

import base64
import copy
from typing import TYPE_CHECKING, Any

from support.kube.errors import ApiError

if TYPE_CHECKING:
    from support.kube.objects import Object, Objects

LABELS = {"team": "notes"}


def objects() -> Objects:
    """Return a Deployment that is rolled out, with its pod, Service, Secret and namespace, and what belongs to others."""
    containers = [
        {
            "name": "proxy",
            "image": "registry.example.com/proxy:2",
            "ports": [{"name": "vectors", "containerPort": 8080}],
        },
        {"name": "server", "image": "registry.example.com/chroma:1.5.9"},
    ]
    template = {"metadata": {"labels": {**LABELS, "part": "vectors"}}, "spec": {"containers": containers}}
    ready = [{"type": "Ready", "status": "True"}]
    token = base64.b64encode(b"sesame\n").decode()
    return [
        _object("Namespace", "notes"),
        _object(
            "Deployment",
            "notes",
            spec={"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template},
            status={"observedGeneration": 3, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1},
        ),
        _object(
            "Pod",
            "notes-1",
            labels={**LABELS, "part": "vectors"},
            spec=template["spec"],
            status={"podIP": "10.0.0.7", "conditions": ready},
        ),
        _object(
            "Pod", "other", labels={"team": "other"}, spec=template["spec"], status={"conditions": ready}
        ),
        _object(
            "Service",
            "notes",
            spec={"selector": LABELS, "ports": [{"name": "http", "port": 80, "targetPort": "vectors"}]},
        ),
        _object("Service", "other", spec={"selector": {"team": "other"}, "ports": [{"port": 80}]}),
        {**_object("Secret", "notes-token"), "data": {"token": token}},
    ]


def _object(kind: str, name: str, labels: Any = None, **parts: Any) -> Object:
    metadata = {
        "name": name,
        "uid": f"{kind}-{name}",
        "generation": 3,
        "resourceVersion": "7",
        "labels": labels or {},
    }
    return copy.deepcopy({"kind": kind, "metadata": metadata, **parts})


class Cluster:
    """Answers from some objects of one namespace; `forbidden` are the kinds that may not be looked at."""

    def __init__(self, there: Objects | None = None, forbidden: tuple[str, ...] = ()) -> None:
        self.there = objects() if there is None else there
        self.forbidden = forbidden

    def get(self, kind: str, name: str, _namespace: str | None = None) -> Object | None:
        """Return one."""
        return next((one for one in self.list(kind) if one["metadata"]["name"] == name), None)

    def list(self, kind: str, _namespace: str | None = None) -> Objects:
        """Return all of a kind."""
        if kind in self.forbidden:
            raise ApiError(403, "Forbidden", f"you may not list {kind}")
        return [one for one in self.there if one["kind"] == kind]

    def one(self, kind: str, name: str = "notes") -> Object:
        """Return one that is there, to be changed."""
        found = self.get(kind, name)
        assert found
        return found

    def without(self, kind: str, name: str) -> None:
        """Take one away."""
        self.there.remove(self.one(kind, name))
