"""Objects of the Kubernetes API as plain data, and how they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Object = dict[str, Any]


Objects = list[Object]


Key = tuple[str, str]


def key(obj: Object) -> Key:
    """Return what tells an object from the others in its namespace: its kind and its name."""
    return obj["kind"], obj["metadata"]["name"]


def named(objects: Iterable[Object], kind: str) -> Object | None:
    """Return the first object of a kind, None when there is none."""
    return next((obj for obj in objects if obj["kind"] == kind), None)
