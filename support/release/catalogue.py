"""Where releases come from: files of manifests/releases, files of a user's own, and single changes to them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from pydantic import ValidationError

from support.core.merge_patch import merge
from support.core.quantities import parse_quantity
from support.core.validation import explain, meant, read_mapping
from support.release.release import USUAL, Chroma, Release, ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable

RELEASES = Path(__file__).parents[2] / "manifests" / "releases"
# Those that scenarios apply, most of them to see them refused.
SCENARIOS: Final = "scenarios"
# A release that extends this differs from the one under test, whichever that is: what spoils one spoils each.
_UNDER_TEST: Final = "the release under test"
_AMOUNTS: Final = ("memory", "cpu")
_ABSENT: Final = object()


def load(name_or_path: str, changes: Iterable[str] = ()) -> Release:
    """Return a release of manifests/releases by its name, or that of a file, with some changes ("chroma.memory=3Gi").

    A file states only how its release differs from the one that it `extends`. Its name is that of the file.

    Raises:
        ReleaseError: no such release, or everything that is wrong in its file or the changes.

    """
    file = _file(name_or_path)
    stated = _stated(file)
    for change in changes:
        stated = _merged(stated, _change(change))
    where = f"{file.stem!r} ({_shown(file)}{', with ' + ', '.join(changes) if changes else ''})"
    return _release(stated, file.stem, where)


def variant(name: str, of: Release) -> Release:
    """Return a release that scenarios apply, by its name: how it differs from `of`, where it does not say from what else.

    Raises `ReleaseError` as `load` does.
    """
    file = RELEASES / SCENARIOS / f"{name}.yaml"
    if not file.exists():
        return load(name)
    return _release(_stated(file, under_test=of), name, f"{name!r} ({SCENARIOS}/{name}.yaml)")


def changed(release: Release, changes: Iterable[str]) -> Release:
    """Return a release with some changes ("claim.size=20Gi"); raises `ReleaseError`."""
    stated = release.model_dump(mode="json", exclude={"name"})
    for change in changes:
        stated = _merged(stated, _change(change))
    return _release(stated, release.name, f"{release.name!r}, with {', '.join(changes)}")


def options_of(release: Release) -> str:
    """Return the options of the command line that ask for a release: its name where that is not the usual one, and changes."""
    named = release.name in names()
    options = [] if release.name == USUAL else [f"--release {release.name if named else 'FILE'}"]
    if named:
        stated, usual = (_flat(one.model_dump(mode="json")) for one in (release, load(release.name)))
        options += [
            shlex.join(["--set", f"{key}={json.dumps(value) if not isinstance(value, str) else value}"])
            for key, value in stated.items()
            if usual.get(key, _ABSENT) != value
        ]
    return " ".join(options)


def stated_by(release: Release) -> str:
    """Say with which options a release that lives stays as it is."""
    options = options_of(release)
    return (
        f"what lives stays as it is with these options: {options}"
        if options
        else f'what lives is the release "{release.name}" as it stands in this checkout: no --release and no --set'
    )


def names() -> list[str]:
    """Return the names of the releases of manifests/releases, sorted."""
    return sorted(file.stem for file in RELEASES.glob("*.yaml"))


def variants() -> list[str]:
    """Return the names of the releases that scenarios apply, sorted."""
    return sorted(file.stem for file in (RELEASES / SCENARIOS).glob("*.yaml"))


def shares_fate(name: str, under_test: str) -> bool:
    """Whether what spoils the release under test spoils a release: it is that one, or states how it differs from it."""
    file = RELEASES / SCENARIOS / f"{name}.yaml"
    return name == under_test or (file.exists() and _read(file).get("extends") == _UNDER_TEST)


def _flat(stated: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Return the leaves of what is stated by their dotted paths."""
    flat: dict[str, Any] = {}
    for key, value in stated.items():
        path = f"{above}{key}"
        flat.update(_flat(value, f"{path}.") if isinstance(value, dict) else {path: value})
    return flat


def _release(stated: dict[str, Any], name: str, where: str) -> Release:
    try:
        return Release.model_validate({**stated, "name": name})
    except ValidationError as error:
        problems = "; ".join(f"{path}: {text}" for path, text in explain(error, Release))
        raise ReleaseError(f"release {where}: {problems}") from None


def _file(name_or_path: str, beside: Path | None = None) -> Path:
    """Return the file of a release: one of manifests/releases, or the path of another, from the folder of that which names it."""
    if name_or_path.endswith((".yaml", ".yml")) or "/" in name_or_path:
        return (beside or Path.cwd()) / Path(name_or_path).expanduser()
    if name_or_path in names():
        return RELEASES / f"{name_or_path}.yaml"
    asked = meant(name_or_path, names(), most=1)
    remedy = " ".join(
        filter(None, (asked, f"There are: {', '.join(names())}; or give the path of a file (x.yaml)"))
    )
    raise ReleaseError(f"no release is named {name_or_path!r}; {remedy}")


def _shown(file: Path) -> str:
    return f"{RELEASES.name}/{file.name}" if file.parent == RELEASES else str(file)


def _read(file: Path) -> dict[str, Any]:
    try:
        stated = read_mapping(file)
    except ValueError as error:
        raise ReleaseError(f"release {file.stem!r} ({_shown(file)}) {error}") from None
    if "name" in stated:
        raise ReleaseError(f"release {file.stem!r}: its name is that of its file; take `name` out of it")
    return stated


def _stated(file: Path, under_test: Release | None = None, heirs: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Return what a release and those that it extends state, merged."""
    if file in heirs:
        line = " -> ".join(one.stem for one in (*heirs, file))
        raise ReleaseError(f"release {file.stem!r} extends itself: {line}")
    stated = _read(file)
    parent = stated.pop("extends", None)
    if parent is None:
        return _merged({}, stated)
    if parent == _UNDER_TEST:
        if under_test is None:
            raise ReleaseError(
                f"release {file.stem!r}: only a scenario knows {_UNDER_TEST!r}; extend one by its name"
            )
        return _merged(under_test.model_dump(mode="json", exclude={"name"}), stated)
    try:
        of = _file(str(parent), file.parent)
    except ReleaseError as error:
        raise ReleaseError(f"{error}, which {file.stem!r} extends") from None
    return _merged(_stated(of, under_test, (*heirs, file)), stated)


def _merged(base: dict[str, Any], stated: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = merge(base, _spelled_out(base, stated))
    return merged


def _spelled_out(base: dict[str, Any], stated: dict[str, Any]) -> dict[str, Any]:
    """Return what is stated with `memory: 3Gi` as what it means: the limit, and no more asked for than that."""
    chroma = stated.get("chroma")
    if not isinstance(chroma, dict):
        return stated
    short = {name: chroma[name] for name in _AMOUNTS if isinstance(chroma.get(name), str | int | float)}
    return {
        **stated,
        "chroma": {**chroma, **{name: _amount(base, name, limit) for name, limit in short.items()}},
    }


def _amount(base: dict[str, Any], name: str, limit: Any) -> dict[str, str]:
    usual = getattr(Chroma.model_fields[name].default, "request")  # noqa: B009 - memory and processors alike
    request = str((base.get("chroma", {}).get(name) or {}).get("request", usual))
    try:
        below = parse_quantity(request) <= parse_quantity(str(limit))
    except ValueError:  # which the model says, with where it stands
        below = True
    return {"request": request if below else str(limit), "limit": str(limit)}


def _change(change: str) -> dict[str, Any]:
    """Return what a change of the command line states, "claim.size=20Gi"; its value is read as in a file."""
    path, given, text = change.partition("=")
    names = path.strip().split(".")
    if not given or not all(names):
        raise ReleaseError(f"--set {change}: write KEY=VALUE, such as chroma.memory=3Gi")
    if names == ["name"]:
        raise ReleaseError("--set name: a release has the name of its file")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ReleaseError(f"--set {change}: the value is not YAML; put it in quotes") from None
    for name in reversed(names):
        value = {name: value}
    stated: dict[str, Any] = value
    return stated
