"""Reads who manages the fields of an object, and says how a conflict over one is ended; pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from support.kube.objects import Object

# The API server's words for a conflict: with one manager over one field in a line, with more of either in a list.
_CONFLICT: Final = re.compile(r"Apply failed with \d+ conflicts?: ")
_MANAGER: Final = re.compile(r'conflicts? with "(?P<manager>[^"]*)".*?:(?: (?P<field>\.\S.*))?$')
# The keys of an item in the path of a field: [port=80,protocol="TCP"].
_KEYS: Final = re.compile(r"\[([^\]]*)\]")
_KEY: Final = re.compile(r'(\w+)=("[^"]*"|[\w.-]+)')
_REPLICAS: Final = ".spec.replicas"
# Values of these kinds may be secret: a command takes the field away instead of showing its value.
_SECRETIVE: Final = {"Secret", "ConfigMap"}


@dataclass(frozen=True)
class Owner:
    """Who wrote a field last, by which operation ("Apply" or "Update"), and when (RFC 3339)."""

    manager: str
    operation: str
    since: str


def owner(obj: Object, *path: str) -> Owner | None:
    """Return the owner of a field, given by the names that lead to it; None where nobody is recorded.

    `kubectl scale` leaves the number of pods without an owner (Kubernetes 1.34, measured). Of several owners the one
    that wrote last is returned.
    """
    entries = obj["metadata"].get("managedFields") or ()
    found = [entry for entry in entries if _holds(entry.get("fieldsV1") or {}, path)]
    last = max(found, key=lambda entry: entry.get("time", ""), default=None)
    return last and Owner(last["manager"], last["operation"], last.get("time", "a time that is not recorded"))


def conflicts(message: str) -> dict[str, list[str]]:
    """Return the fields that others manage, by manager, of the API server's words for a conflict; empty if it is none."""
    if not _CONFLICT.match(message):
        return {}
    found: dict[str, list[str]] = {}
    fields: list[str] = []
    for line in _CONFLICT.sub("", message).splitlines():
        if match := _MANAGER.match(line.strip()):
            fields = found.setdefault(match["manager"], [])
            fields += [match["field"]] if match["field"] else []
        elif line.strip().startswith("- "):
            fields.append(line.strip()[2:])
    return found


def describe(found: dict[str, list[str]]) -> str:
    """Say which manager owns which fields."""
    return "; ".join(f'"{manager}" manages {", ".join(fields)}' for manager, fields in found.items())


def commands(obj: Object, fields: Iterable[str]) -> list[str]:
    """Return the commands that give fields of an object the values that it states, which ends a conflict over them."""
    kind, name = obj["kind"].lower(), obj["metadata"]["name"]
    place = f"kubectl -n {obj['metadata']['namespace']}" if "namespace" in obj["metadata"] else "kubectl"
    return [
        f"{place} scale {kind} {name} --replicas={obj['spec']['replicas']}"
        if field == _REPLICAS
        else f"{place} patch {kind} {name} -p '{json.dumps(patch)}'"
        if (patch := _patch_of(field, obj))
        else f"{place} get {kind} {name} -o yaml --show-managed-fields"
        for field in fields
    ]


def _holds(fields: Any, path: tuple[str, ...]) -> bool:
    for name in path:
        fields = fields.get(f"f:{name}")
        if fields is None:
            return False
    return True


def _patch_of(field: str, obj: Object) -> Any:
    """Return the strategic merge patch that gives a field its stated value; None where the field cannot be followed."""
    try:
        return _patch(list(_steps(field, obj)), obj, hidden=obj["kind"] in _SECRETIVE)
    except (KeyError, ValueError, TypeError):
        return None


def _patch(steps: list[Any], stated: Any, *, hidden: bool) -> Any:
    if not steps:
        return None if hidden else stated
    first, *rest = steps
    if isinstance(first, dict):  # an item of a list, which its keys tell from the others
        return [{**first, **_patch(rest, _item(stated, first), hidden=hidden)}]
    return {first: _patch(rest, stated[first], hidden=hidden)}


def _steps(field: str, stated: Any) -> Iterator[Any]:
    """Yield the steps of a path such as `.spec.ports[port=80].targetPort`; only the object tells a dot in a name from one between two."""
    while field:
        if keys := _KEYS.match(field):
            item = {name: json.loads(value) for name, value in _KEY.findall(keys[1])}
            yield item
            stated, field = _item(stated, item), field[keys.end() :]
        else:
            rest = field[1:]
            names = [one for one in stated if rest == one or rest.startswith((f"{one}.", f"{one}["))]
            name = max(names, key=len)
            yield name
            stated, field = stated[name], rest[len(name) :]


def _item(items: Any, keys: dict[str, Any]) -> Any:
    """Return the item of a list that has these keys; what it does not state is a default, and differs from none."""
    found = [one for one in items if all(one.get(name, value) == value for name, value in keys.items())]
    return found[0] if found else {}
