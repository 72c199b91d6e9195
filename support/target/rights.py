"""The rights that a run takes on what something else deployed, and for the pod from which it is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.kube.resources import resource
from support.platform.pull_secret import needed as pulling
from support.platform.rights import Grant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.target.description import Description


def needed(stated: Description, vantage: str | None, report: str = "") -> list[Grant]:
    """Return every right without which nothing goes on: docs/targets/rights.yaml grants them, and the few that can be done without.

    `vantage` is the namespace that its pod is given; "" where it has one of its own, None where there is no pod. `report` is
    that in which the report is kept, "" where it is not.
    """
    found = [*_of_target(stated), *(_of_vantage(stated, vantage) if vantage is not None else ())]
    return found + [Grant(verb, *resource("ConfigMap"), report) for verb in ("create", "patch") if report]


def _of_target(stated: Description) -> Iterator[Grant]:
    workload = stated.workload
    yield Grant("get", *resource(workload.kind), stated.namespace, workload.name)
    for one in stated.services:
        yield Grant("get", *resource("Service"), stated.namespace, one.name)
    if stated.token and stated.token.secret:
        yield Grant("get", *resource("Secret"), stated.namespace, stated.token.secret)
    yield Grant("list", *resource("Pod"), stated.namespace)


def _of_vantage(stated: Description, namespace: str) -> Iterator[Grant]:
    home = namespace or None
    if stated.pull_secret:
        for place in pulling(stated.pull_secret, deploys=False, vantage=namespace):
            yield Grant("get", *resource("Secret"), place.namespace, place.name)
        for verb in ("create", "patch") if home is None else ():
            yield Grant(verb, *resource("Secret"))
    if home is None:
        for verb in ("get", "create", "patch", "delete"):
            yield Grant(verb, *resource("Namespace"))
    for verb in ("create", "delete"):
        yield Grant(verb, *resource("Pod"), home)
    yield Grant("get", "", "pods/portforward", home)
