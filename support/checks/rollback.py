"""Partial deployments: each can be rolled back, however far it came."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from support.core.parallel import in_parallel
from support.core.promises import PromiseBroken
from support.core.signals import ctrl_c
from support.core.wait import Timeout, wait_for
from support.deploy import removal
from support.deploy.objects import is_claim
from support.kube.labels import ownership
from support.kube.objects import Key, Object, Objects, key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from support.core.wait import Deadlines
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout
    from support.kube.client import Kube
    from support.release.release import Release


@dataclass(frozen=True)
class PartialDeployment:
    """A deployment that broke off: where, and what it had made."""

    namespace: Namespace
    made: Objects

    def roll_back(self) -> None:
        """Roll it back, and keep its data."""
        self.namespace.roll_back()

    def assert_rolled_back(self) -> None:
        """Assert that nothing is left of it but its claim; without one, not even the namespace."""
        claims = [obj["metadata"]["name"] for obj in filter(is_claim, self.made)]
        try:
            assert_claims_left(self.namespace, claims)
        except AssertionError as error:
            last = self.made[-1]
            raise AssertionError(f"after {last['kind']} {last['metadata']['name']}: {error}") from error


def break_off_after_each(
    make_namespace: Callable[[], Namespace], release: Release
) -> list[PartialDeployment]:
    """Let a deployment break off after each of its objects in turn, each in a namespace of its own."""
    count = len((first := make_namespace()).rendered(release).objects)
    places = [first, *(make_namespace() for _ in range(count - 1))]
    return in_parallel([partial(_break_off, place, release, far) for far, place in enumerate(places, 1)])


def roll_back_all(partial_deployments: list[PartialDeployment]) -> None:
    """Roll each back."""
    in_parallel([deployment.roll_back for deployment in partial_deployments])


def assert_all_rolled_back(partial_deployments: list[PartialDeployment]) -> None:
    """Assert of each that nothing is left but its claim."""
    in_parallel([deployment.assert_rolled_back for deployment in partial_deployments])


def interrupt(namespace: Namespace, release: Release) -> None:
    """Apply a release, and press Ctrl-C as soon as there is a pod of it."""

    def notice_pod(line: str) -> None:
        if line.startswith("pod "):
            press()

    try:
        with ctrl_c() as press:
            rollout = namespace.as_seen_by(notice_pod).apply(release)
    except KeyboardInterrupt:
        return
    raise AssertionError(f"the deployment was over before it was interrupted: {rollout}")


def roll_back_midway(namespace: Namespace, release: Release, deadlines: Deadlines) -> Rollout:
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


def finalizer_object(namespace: Namespace) -> Object:
    """Make an object of the suite whose finalizer keeps it: nothing takes that off."""
    return namespace.kube.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"held-{uuid.uuid4().hex[:8]}",
                "namespace": namespace.name,
                "labels": ownership(None),
                "finalizers": ["chroma-conformance/nobody-sees-to-this"],
            },
        }
    )


def remove_finalizer(kube: Kube, obj: Object) -> None:
    """Take the finalizer off an object, and remove it."""
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


def assert_names(message: str, obj: Object) -> None:
    """Assert that a roll back has failed, and named the object."""
    name = f"{obj['kind']} {obj['metadata']['name']}"
    if name not in message:
        raise PromiseBroken(f"the roll back fails and names {name}", message or "it succeeded")


def _break_off(namespace: Namespace, release: Release, far: int) -> PartialDeployment:
    made = namespace.rendered(release).objects[:far]
    for obj in made:
        namespace.kube.apply(obj)
    return PartialDeployment(namespace, made)


def create_foreign(kube: Kube, namespace: Namespace) -> Objects:
    """Create, as somebody else whose `kube` is, two objects in a namespace that the suite does not own, and return them as stored.

    They look as much like the release's as foreign objects can: they carry its application's label and the platform's.
    """
    return [kube.create(_foreign(kind, namespace.name)) for kind in ("ConfigMap", "Secret")]


def remove_foreign(kube: Kube, objects: Objects) -> None:
    """Remove foreign objects again."""
    for obj in objects:
        kube.delete(*key(obj), obj["metadata"]["namespace"])


def assert_untouched(kube: Kube, objects: Objects) -> None:
    """Assert that each is what it was, down to its version."""
    for obj in objects:
        now = kube.get(*key(obj), obj["metadata"]["namespace"])
        assert now == obj, f"{' '.join(key(obj))}, a foreign object, was {obj} and is {now or 'gone'}"


def _foreign(kind: str, namespace: str) -> Object:
    labels = {"app": "chroma", "thinkube.io/managed": "true", "app.kubernetes.io/part-of": "somebody-elses"}
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": "somebody-elses", "namespace": namespace, "labels": labels},
    }


def assert_nothing_left(namespace: Namespace) -> None:
    """Assert that there is no trace, not even the namespace."""
    _assert_left(namespace, set(), ())


def assert_namespace_left(namespace: Namespace, besides: Sequence[Object]) -> None:
    """Assert that there is only the namespace, and some objects."""
    _assert_left(namespace, {("Namespace", namespace.name)}, besides)


def assert_data_left(namespace: Namespace, release: Release, besides: Sequence[Object]) -> None:
    """Assert that there is only the claim of a release, with its volume, in its namespace, and some objects."""
    claim = namespace.kube.get("PersistentVolumeClaim", release.claim.name, namespace.name)
    assert claim, f"gone from {namespace.name}: PersistentVolumeClaim {release.claim.name}"
    volume = ("PersistentVolume", claim["spec"].get("volumeName", ""))
    _assert_left(namespace, {("Namespace", namespace.name), key(claim), volume}, besides)


def assert_claims_left(namespace: Namespace, names: Sequence[str]) -> None:
    """Assert that there are only these claims, with the volumes that they have, in their namespace; none: nothing at all."""
    claims = [namespace.kube.get("PersistentVolumeClaim", name, namespace.name) for name in names]
    volumes = [claim["spec"]["volumeName"] for claim in claims if claim and "volumeName" in claim["spec"]]
    expected = {("PersistentVolumeClaim", name) for name in names}
    expected |= {("PersistentVolume", name) for name in volumes} | (
        {("Namespace", namespace.name)} if names else set()
    )
    _assert_left(namespace, expected, ())


def _assert_left(namespace: Namespace, expected: set[Key], besides: Sequence[Object]) -> None:
    """Look at the namespace, at everything in it, no matter who made it, and at its volumes."""
    left = set(removal.traces(namespace.kube, namespace.name)) - set(map(key, besides))
    assert not left - expected, f"left in {namespace.name}: {_named(left - expected)}"
    assert not expected - left, f"gone from {namespace.name}: {_named(expected - left)}"


def _named(keys: set[Key]) -> str:
    return ", ".join(f"{kind} {name}" for kind, name in sorted(keys))
