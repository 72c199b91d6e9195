"""Deployments that are not brought to their end: each can be rolled back, however far it came."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from support import leftovers
from support.plan import is_claim
from support.render import ownership
from support.signals import ctrl_c
from support.together import together
from support.wait import Timeout, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.kube import Kube, Object, Objects
    from support.namespace import Namespace, Rollout
    from support.release import Release
    from support.wait import Deadlines


@dataclass(frozen=True)
class Wreck:
    """A deployment that broke off: where, and what it had made."""

    namespace: Namespace
    made: Objects

    def roll_back(self) -> None:
        """Roll it back, and keep its data."""
        self.namespace.roll_back()

    def assert_rolled_back(self) -> None:
        """Demand that nothing is left of it but its claim; without one, not even the namespace."""
        claims = [obj["metadata"]["name"] for obj in filter(is_claim, self.made)]
        try:
            leftovers.assert_claims_left(self.namespace, claims)
        except AssertionError as error:
            last = self.made[-1]
            raise AssertionError(f"after {last['kind']} {last['metadata']['name']}: {error}") from error


def wrecks(lend: Callable[[], Namespace], release: Release) -> list[Wreck]:
    """Let a deployment break off after each of its objects in turn, each in a namespace of its own, that is lent."""
    count = len((first := lend()).rendered(release).objects)
    places = [first, *(lend() for _ in range(count - 1))]
    return together([partial(_wreck, place, release, far) for far, place in enumerate(places, 1)])


def roll_back_all(ashore: list[Wreck]) -> None:
    """Roll each back."""
    together([wreck.roll_back for wreck in ashore])


def assert_all_rolled_back(ashore: list[Wreck]) -> None:
    """Demand of each that nothing is left but its claim."""
    together([wreck.assert_rolled_back for wreck in ashore])


def interrupt(namespace: Namespace, release: Release) -> None:
    """Apply a release, and press Ctrl-C as soon as there is a pod of it."""

    def tell(line: str) -> None:
        if line.startswith("pod "):
            press()

    try:
        with ctrl_c() as press:
            rollout = namespace.as_seen_by(tell).apply(release)
    except KeyboardInterrupt:
        return
    raise AssertionError(f"the deployment was over before it was interrupted: {rollout}")


def roll_back_under_way(namespace: Namespace, release: Release, deadlines: Deadlines) -> Rollout:
    """Apply a release, and let another operator roll it back before it is live; return how the deployment ended."""
    another = namespace.as_seen_by(lambda _line: None)
    with ThreadPoolExecutor(1) as pool:
        applying = pool.submit(namespace.apply, release)
        wait_for(
            lambda: applying.done() or namespace.kube.list("StatefulSet", namespace.name),
            deadlines.live,
            lambda: f"no StatefulSet was made in {namespace.name}",
        )
        another.roll_back()
        return applying.result()


def stubborn(namespace: Namespace) -> Object:
    """Make an object of the suite that nobody can remove, since nobody does what has to be done before."""
    return namespace.kube.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"stubborn-{uuid.uuid4().hex[:8]}",
                "namespace": namespace.name,
                "labels": ownership(None),
                "finalizers": ["chroma-conformance/nobody-sees-to-this"],
            },
        }
    )


def release_from_duty(kube: Kube, obj: Object) -> None:
    """Let a stubborn object go."""
    name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
    if kube.get(obj["kind"], name, namespace):
        kube.patch(obj["kind"], name, namespace, {"metadata": {"finalizers": None}})
    kube.delete(obj["kind"], name, namespace)


def try_to_roll_back(namespace: Namespace, deadlines: Deadlines) -> str:
    """Roll back without patience, and return what is said of that: nothing where all is well."""
    try:
        namespace.as_seen_by(lambda _line: None, replace(deadlines, gone=deadlines.hopeless)).roll_back()
    except Timeout as error:
        return str(error)
    return ""


def assert_told(told: str, obj: Object) -> None:
    """Demand that a roll back has failed, and named the object."""
    name = f"{obj['kind']} {obj['metadata']['name']}"
    assert name in told, f"promised: the roll back fails and names {name}\nseen:     {told or 'it succeeded'}"


def _wreck(namespace: Namespace, release: Release, far: int) -> Wreck:
    made = namespace.rendered(release).objects[:far]
    for obj in made:
        namespace.kube.apply(obj)
    return Wreck(namespace, made)
