"""Things of somebody else, as they stand beside a release: nothing that the suite does may touch them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.plan import key

if TYPE_CHECKING:
    from support.kube import Kube, Object, Objects
    from support.namespace import Namespace


def settle(namespace: Namespace) -> Objects:
    """Put two objects of somebody else into a namespace, and return them as stored.

    They look as much like a release's as somebody else's can: they carry its application's label and the platform's.
    """
    return [namespace.kube.create(_foreign(kind, namespace.name)) for kind in ("ConfigMap", "Secret")]


def leave(kube: Kube, objects: Objects) -> None:
    """Take them away again."""
    for obj in objects:
        kube.delete(*key(obj), obj["metadata"]["namespace"])


def assert_untouched(kube: Kube, objects: Objects) -> None:
    """Demand that each is what it was, down to its version."""
    for obj in objects:
        now = kube.get(*key(obj), obj["metadata"]["namespace"])
        assert now == obj, f"{' '.join(key(obj))} of somebody else was {obj} and is {now or 'gone'}"


def _foreign(kind: str, namespace: str) -> Object:
    labels = {"app": "chroma", "thinkube.io/managed": "true", "app.kubernetes.io/part-of": "somebody-elses"}
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": "somebody-elses", "namespace": namespace, "labels": labels},
    }
