"""The rights that the suite needs on a cluster, and which of them somebody has not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from support.core.parallel import in_parallel
from support.kube.resources import resource
from support.platform.inventory import ROUTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from support.kube.client import Kube
    from support.kube.objects import Object

# One right: verb, group ("" is the core's), resource with its subresource ("pods/log").
Right = tuple[str, str, str]

_LOOK: Final = ("get", "list", "watch")
_HOLD: Final = (*_LOOK, "create", "patch", "delete")

# What a deploy, its proof and its roll back ask of the cluster; the resource of a kind is support/kube/client.py's. What may
# stay unknown (nodes, classes) is not demanded.
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "Namespace": ("get", "create", "patch", "delete"),
    "Secret": _HOLD,
    "ConfigMap": _HOLD,
    "PersistentVolumeClaim": _HOLD,
    "Service": _HOLD,
    "StatefulSet": _HOLD,
    "Ingress": _HOLD,
    "Pod": (*_LOOK, "create", "delete"),
    "Pod/log": ("get",),
    "Pod/exec": ("get",),
    "Pod/portforward": ("get",),
    "Event": ("list", "watch"),
    "PersistentVolume": ("get", "list"),
    # Looked for, since what is ours among them would have to be removed.
    "NetworkPolicy": ("list",),
    "ResourceQuota": ("list",),
    "LimitRange": ("list",),
    "ServiceAccount": ("list",),
}


def needed(exposure: str = "ingress") -> list[Right]:
    """Return every right that the suite needs, in all namespaces, where hosts are exposed so."""
    exposed = {
        "HTTPRoute" if name == "Ingress" and exposure == ROUTE else name: some
        for name, some in NEEDED.items()
    }
    return [
        (verb, *_resource(kind, subresource))
        for name, verbs in exposed.items()
        for kind, _, subresource in [name.partition("/")]
        for verb in verbs
    ]


def lacking(kube: Kube, namespace: str, exposure: str = "ingress") -> list[Right]:
    """Return the needed rights that the user has not in a namespace.

    In one that nobody has made yet no role is bound, so that only what is granted in all namespaces counts. Raises
    `ApiError` when he may not even ask.
    """
    review = {"namespace": namespace}
    status = kube.create(_question("SelfSubjectRulesReview", review))["status"]
    left = [right for right in needed(exposure) if not granted(status.get("resourceRules") or (), right)]
    if not status.get("incomplete"):
        return left
    # An authorizer that cannot list its rules still answers a question about each.
    answers = in_parallel([partial(_may, kube, right, namespace) for right in left])
    return [right for right, may in zip(left, answers, strict=True) if not may]


def granted(rules: Iterable[Object], right: Right) -> bool:
    """Whether some rule grants a right to all objects of its resource."""
    verb, group, name = right
    subresource = name.partition("/")[2]
    resources = {"*", name} | ({f"*/{subresource}"} if subresource else set())
    return any(
        not rule.get("resourceNames")
        and {"*", verb} & set(rule["verbs"])
        and {"*", group} & set(rule.get("apiGroups") or ())
        and resources & set(rule.get("resources") or ())
        for rule in rules
    )


def describe(rights: Iterable[Right]) -> str:
    """Name rights, those of the same verbs together: "get, list of secrets, statefulsets.apps; get of pods/log"."""
    verbs: dict[str, list[str]] = {}
    for verb, group, name in rights:
        verbs.setdefault(f"{name}.{group}".rstrip("."), []).append(verb)
    resources: dict[str, list[str]] = {}
    for name, some in verbs.items():
        resources.setdefault(", ".join(some), []).append(name)
    return "; ".join(f"{some} of {', '.join(names)}" for some, names in resources.items())


def _resource(kind: str, subresource: str) -> tuple[str, str]:
    group, plural = resource(kind)
    return group, f"{plural}/{subresource}" if subresource else plural


def _may(kube: Kube, right: Right, namespace: str) -> bool:
    verb, group, name = right
    plural, _, subresource = name.partition("/")
    asked = {"namespace": namespace, "verb": verb, "group": group, "resource": plural}
    question = _question(
        "SelfSubjectAccessReview", {"resourceAttributes": {**asked, "subresource": subresource}}
    )
    return bool(kube.create(question)["status"]["allowed"])


def _question(kind: str, spec: Object) -> Object:
    return {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "metadata": {}, "spec": spec}
