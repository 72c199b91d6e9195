"""Compares two versions of an object field by field, in words that show no secret; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.kube.objects import Object

# What the API server keeps for itself: it differs where nobody has changed anything.
_KEPT: Final = (
    "apiVersion",
    "status",
    "metadata.managedFields",
    "metadata.resourceVersion",
    "metadata.generation",
    "metadata.uid",
    "metadata.creationTimestamp",
)
# By kind the fields whose values stay unseen: a Secret's are secret, and a ConfigMap may publish a token.
_UNSEEN: Final = {"Secret": ("data.", "stringData."), "ConfigMap": ("data.", "binaryData.")}
_NOTHING: Final = {"0", "False", '""', "[]", "{}"}
_LONGEST: Final = 80
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class FieldChange:
    """One field that differs; `before` and `after` are its values in words, None where it is not there.

    The items of a list that have names go by them: "spec.template.spec.containers[chroma].image".
    """

    field: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.field}: {self.after} is added"
        if self.after is None:
            return f"{self.field}: {self.before} is taken away"
        if self.before == self.after:  # which shows that it differs, and not how
            return f"{self.field}: {self.after} changes"
        return f"{self.field}: {self.before} -> {self.after}"


def differences(before: Object, after: Object) -> list[FieldChange]:
    """Return the fields in which an object will differ from what it is."""
    unseen = _UNSEEN.get(after["kind"], ())
    return [
        FieldChange(field, _shown(field, old, unseen), _shown(field, new, unseen))
        for field, old, new in _differing("", before, after)
        if not field.startswith(_KEPT)
    ]


def wanted(before: Object, after: Object) -> list[FieldChange]:
    """Return the fields that an object states otherwise than they are; what it does not state may be anything.

    Kubernetes leaves out what is nothing.
    """
    return [
        each
        for each in differences(before, after)
        if each.after is not None and not (each.before is None and each.after in _NOTHING)
    ]


_ABSENT: Final = object()


def _differing(field: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            path = _joined(field, name)
            yield from _differing(path, before.get(name, _ABSENT), after.get(name, _ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        names = _names(before), _names(after)
        if all(names):
            yield from _differing_by_name(
                field, dict(zip(names[0], before, strict=True)), dict(zip(names[1], after, strict=True))
            )
        else:
            for number, (old, new) in enumerate(zip_longest(before, after, fillvalue=_ABSENT)):
                yield from _differing(f"{field}[{number}]", old, new)
    elif before != after:
        yield field, before, after


def _differing_by_name(
    field: str, before: dict[str, Any], after: dict[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    for name in {**before, **after}:
        yield from _differing(f"{field}[{name}]", before.get(name, _ABSENT), after.get(name, _ABSENT))


def _names(items: list[Any]) -> list[str]:
    """Return the names of a list's items, none unless each has one of its own."""
    names = [str(item["name"]) for item in items if isinstance(item, dict) and "name" in item]
    return names if len(set(names)) == len(items) else []


def _joined(field: str, name: str) -> str:
    if not _PLAIN.fullmatch(name):
        return f"{field}[{name}]"
    return f"{field}.{name}" if field else name


def _shown(field: str, value: Any, unseen: tuple[str, ...]) -> str | None:
    if value is _ABSENT:
        return None
    if f"{field}.".replace("[", ".").startswith(unseen):
        return "a value that is not shown"
    text = value if isinstance(value, str) else repr(value)
    line = " ".join(text.split()) or '""'
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"
