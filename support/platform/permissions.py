"""Which of the rights that a mode takes somebody has not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from support.core.parallel import in_parallel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from support.kube.client import Kube
    from support.kube.objects import Object
    from support.platform.rights import Grant


def lacking(kube: Kube, needed: Sequence[Grant], nowhere: str) -> list[Grant]:
    """Return the needed rights that the user has not, each asked about where it is needed.

    What is needed in all namespaces is asked about in one that nobody has made, `nowhere`: no role is bound there, so that
    only what is granted in all of them counts. Raises `ApiError` when the user may not even ask.
    """
    places = dict.fromkeys(one.namespace for one in needed)
    asks = [
        partial(_lacking_in, kube, place or nowhere, [one for one in needed if one.namespace == place])
        for place in places
    ]
    left = {one for some in in_parallel(asks) for one in some}
    return [one for one in needed if one in left]


def _lacking_in(kube: Kube, namespace: str, needed: Sequence[Grant]) -> list[Grant]:
    status = kube.create(_question("SelfSubjectRulesReview", {"namespace": namespace}))["status"]
    left = [one for one in needed if not granted(status.get("resourceRules") or (), one)]
    if not status.get("incomplete"):
        return left
    # An authorizer that cannot list its rules still answers a question about each.
    answers = in_parallel([partial(_may, kube, one, namespace) for one in left])
    return [one for one, may in zip(left, answers, strict=True) if not may]


def granted(rules: Iterable[Object], right: Grant) -> bool:
    """Whether some rule grants a right; one to all objects of a resource is not granted by names."""
    subresource = right.resource.partition("/")[2]
    resources = {"*", right.resource} | ({f"*/{subresource}"} if subresource else set())
    return any(
        (not rule.get("resourceNames") or right.name in rule["resourceNames"])
        and {"*", right.verb} & set(rule["verbs"])
        and {"*", right.group} & set(rule.get("apiGroups") or ())
        and resources & set(rule.get("resources") or ())
        for rule in rules
    )


def describe(rights: Iterable[Grant]) -> str:
    """Name rights, those of the same place and verbs together: "in all namespaces: get, list of secrets; get of pods/log"."""
    places: dict[str | None, list[Grant]] = {}
    for right in rights:
        places.setdefault(right.namespace, []).append(right)
    return "; ".join(
        f"in {f'namespace {place}' if place else 'all namespaces'}: {_described(some)}"
        for place, some in places.items()
    )


def _described(rights: Iterable[Grant]) -> str:
    verbs: dict[str, list[str]] = {}
    for one in rights:
        verbs.setdefault(one.on, []).append(one.verb)
    resources: dict[str, list[str]] = {}
    for name, some in verbs.items():
        resources.setdefault(", ".join(some), []).append(name)
    return "; ".join(f"{some} of {', '.join(names)}" for some, names in resources.items())


def _may(kube: Kube, right: Grant, namespace: str) -> bool:
    plural, _, subresource = right.resource.partition("/")
    asked = {"namespace": namespace, "verb": right.verb, "group": right.group, "resource": plural}
    attributes = {**asked, "subresource": subresource, "name": right.name or ""}
    question = _question("SelfSubjectAccessReview", {"resourceAttributes": attributes})
    return bool(kube.create(question)["status"]["allowed"])


def _question(kind: str, spec: Object) -> Object:
    return {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "metadata": {}, "spec": spec}
