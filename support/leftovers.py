"""Demands that of a release only so much is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support import removal
from support.plan import key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.kube import Object
    from support.namespace import Namespace
    from support.plan import Key
    from support.release import Release


def assert_nothing_left(namespace: Namespace) -> None:
    """Demand that there is no trace, not even the namespace."""
    _assert_left(namespace, set(), ())


def assert_namespace_left(namespace: Namespace, besides: Sequence[Object]) -> None:
    """Demand that there is only the namespace, and some objects."""
    _assert_left(namespace, {("Namespace", namespace.name)}, besides)


def assert_data_left(namespace: Namespace, release: Release, besides: Sequence[Object]) -> None:
    """Demand that there is only the claim of a release, with its volume, in its namespace, and some objects."""
    claim = namespace.kube.get("PersistentVolumeClaim", release.claim.name, namespace.name)
    assert claim, f"gone from {namespace.name}: PersistentVolumeClaim {release.claim.name}"
    volume = ("PersistentVolume", claim["spec"].get("volumeName", ""))
    _assert_left(namespace, {("Namespace", namespace.name), key(claim), volume}, besides)


def assert_claims_left(namespace: Namespace, names: Sequence[str]) -> None:
    """Demand that there are only these claims, with the volumes that they have, in their namespace; none: nothing at all."""
    claims = [namespace.kube.get("PersistentVolumeClaim", name, namespace.name) for name in names]
    volumes = [claim["spec"]["volumeName"] for claim in claims if claim and "volumeName" in claim["spec"]]
    expected = {("PersistentVolumeClaim", name) for name in names}
    expected |= {("PersistentVolume", name) for name in volumes} | (
        {("Namespace", namespace.name)} if names else set()
    )
    _assert_left(namespace, expected, ())


def _assert_left(namespace: Namespace, expected: set[Key], besides: Sequence[Object]) -> None:
    """Look at the namespace, at everything in it, whoever made it, and at its volumes."""
    left = set(removal.traces(namespace.kube, namespace.name)) - set(map(key, besides))
    assert not left - expected, f"left in {namespace.name}: {_named(left - expected)}"
    assert not expected - left, f"gone from {namespace.name}: {_named(expected - left)}"


def _named(keys: set[Key]) -> str:
    return ", ".join(f"{kind} {name}" for kind, name in sorted(keys))
