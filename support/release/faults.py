"""A fault: a release spoiled as it happens in real life, and the scenario that must catch it."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import jsonpatch
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from support.core.errors import SuiteError
from support.core.merge_patch import merge
from support.core.validation import explain, meant, read_mapping
from support.release.render import stamp

FAULTS = Path(__file__).parents[2] / "manifests" / "faults"
# Patches that several faults begin with.
PARTS = FAULTS / "parts"

Manifest = dict[str, Any]
Text = Annotated[str, Field(min_length=1)]


class FaultError(SuiteError):
    """A fault that is not there, whose file is wrong, or that does not fit the release; the text says which."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Edit(_Part):
    """Replaces one passage of a text, which must hold it exactly once; `at` is a JSON pointer to the text."""

    at: Text
    replace: Text
    by: str


class Operation(_Part):
    """One operation of a JSON patch (RFC 6902)."""

    model_config = ConfigDict(frozen=True, extra="allow")

    op: Literal["add", "remove", "replace", "move", "copy", "test"]
    path: str


class Patch(_Part):
    """One change to one object: exactly one of `merge`, `json`, `edit`, `add` and `remove`."""

    kind: Text
    # Without a name: the only object of its kind, whatever it is called in that place.
    name: Text | None = None
    # A merge patch (RFC 7386): null removes, a list replaces the whole list.
    merge: Manifest | None = None
    operations: tuple[Operation, ...] | None = Field(default=None, alias="json")
    edit: tuple[Edit, ...] | None = None
    # The rest of a new object: its name, its namespace and the suite's labels are filled in.
    add: Manifest | None = None
    remove: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_change(self) -> Self:
        changes = (self.merge, self.operations, self.edit, self.add, self.remove)
        if sum(change is not None for change in changes) != 1:
            raise ValueError("needs exactly one of merge, json, edit, add, remove")
        if self.add is not None and self.name is None:
            raise ValueError("needs the name of what it adds")
        return self

    def apply(self, objects: list[Manifest]) -> list[Manifest]:
        """Return the objects with this change; raises `FaultError` where it does not fit them."""
        found = [
            obj
            for obj in objects
            if obj["kind"] == self.kind and self.name in (None, obj["metadata"]["name"])
        ]
        if self.add is not None:
            if found:
                raise FaultError(f"adds {_title(found[0])}, which is there already")
            return [*objects, self._added(objects)]
        if len(found) != 1:
            there = ", ".join(map(_title, objects))
            raise FaultError(
                f"names {self.kind} {self.name or '(any)'}, of which there are {len(found)}; there are: {there}"
            )
        if self.remove:
            return [obj for obj in objects if obj is not found[0]]
        changed = self._changed(found[0])
        if changed == found[0]:
            raise FaultError(f"leaves {_title(found[0])} as it is")
        return [changed if obj is found[0] else obj for obj in objects]

    def _added(self, objects: list[Manifest]) -> Manifest:
        home = next(obj for obj in objects if obj["kind"] == "Namespace")["metadata"]
        labels = {
            key: value
            for key, value in home["labels"].items()
            if key.startswith(("app.kubernetes.io/", "chroma-conformance/"))
        }
        frame = {
            "kind": self.kind,
            "metadata": {"name": self.name, "namespace": home["name"], "labels": labels},
        }
        added: Manifest = merge(frame, self.add)
        return added

    def _changed(self, obj: Manifest) -> Manifest:
        if self.merge is not None:
            merged: Manifest = merge(obj, self.merge)
            return merged
        for operation in self.operations or ():
            obj = self._operated(obj, operation.model_dump())
        for edit in self.edit or ():
            text = jsonpatch.JsonPointer(edit.at).resolve(obj, default=None)
            times = text.count(edit.replace) if isinstance(text, str) else 0
            if times != 1:
                raise FaultError(
                    f"replaces a passage of {_title(obj)} at {edit.at} that occurs there {times} times, "
                    f"not once: {edit.replace!r}"
                )
            value = text.replace(edit.replace, edit.by)
            obj = self._operated(obj, {"op": "replace", "path": edit.at, "value": value})
        return obj

    def _operated(self, obj: Manifest, operation: Manifest) -> Manifest:
        try:
            operated: Manifest = jsonpatch.apply_patch(obj, [operation])
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError):
            # Without the library's words: they quote the object, which may be a Secret.
            raise FaultError(f"cannot {operation['op']} {operation['path']} of {_title(obj)}") from None
        return operated


class Catch(_Part):
    """The scenario that must fail under a fault, and a phrase of its message."""

    feature: Text
    scenario: Text
    message: Text

    def describes(self, file: str, scenario: str, message: str) -> bool:
        """Whether a failure is the one that is meant: of this scenario of a feature file, with all of its message."""
        return (Path(file).stem, scenario) == (self.feature, self.scenario) and self.message in message


def _some(patches: tuple[Patch, ...]) -> tuple[Patch, ...]:
    if not patches:
        raise ValueError("is empty: a fault changes something")
    return patches


class Fault(_Part):
    """What is changed in the rendered objects of every release, why that happens, and what must catch it.

    `release` is the one that it is made for, where it does not fit every one, and `exposure` how hosts are exposed where
    it is of use: unless the inventory says otherwise, a run with it exposes them so.
    """

    name: Text
    release: Text | None = None
    exposure: Literal["ingress", "route"] = "ingress"
    title: Text
    why: Text
    patches: Annotated[tuple[Patch, ...], AfterValidator(_some)]
    caught_by: Catch

    @classmethod
    def load(cls, name_or_path: str) -> "Fault":
        """Load NAME.yaml from any folder of manifests/faults, or any file whose path ends with .yaml or .yml.

        Raises:
            FaultError: no such fault, or everything that is wrong in its file.

        """
        file = _file(name_or_path)
        try:
            return cls.model_validate({**_stated(file), "name": file.stem})
        except ValidationError as error:
            problems = "; ".join(f"{path}: {text}" for path, text in explain(error, cls))
            raise FaultError(f"fault {file}: {problems}") from None
        except ValueError as error:
            raise FaultError(f"fault {file} {error}") from None

    def spoil(self, objects: list[Manifest]) -> list[Manifest]:
        """Return the rendered objects with every patch applied; raises `FaultError` where one does not fit."""
        for number, patch in enumerate(self.patches, start=1):
            try:
                objects = patch.apply(objects)
            except FaultError as error:
                raise FaultError(f"fault {self.name!r}, patch {number}: {error}") from None
        return stamp(objects)


def _title(obj: Manifest) -> str:
    return f"{obj['kind']} {obj['metadata']['name']}"


def names() -> list[str]:
    """Return the names of all faults, sorted."""
    return sorted(_files())


def _files() -> dict[str, Path]:
    """Return the file of each fault by its name, in whatever folder it is."""
    return {file.stem: file for file in FAULTS.rglob("*.yaml") if PARTS not in file.parents}


def _stated(file: Path) -> Manifest:
    """Return what the file states: of a part that it `extends` the patches first, the feature that its folder says."""
    stated = read_mapping(file)
    folder = file.resolve().parent
    if folder.parent == FAULTS.resolve() and isinstance(caught_by := stated.get("caught_by"), dict):
        stated["caught_by"] = {"feature": folder.name, **caught_by}
    part = stated.pop("extends", None)
    if part is None:
        return stated
    if part not in (parts := sorted(file.stem for file in PARTS.glob("*.yaml"))):
        raise ValueError(f"extends {part!r}; there are: {', '.join(parts)}")
    patches = read_mapping(PARTS / f"{part}.yaml")["patches"]
    return {**stated, "patches": [*patches, *stated.get("patches", [])]}


def _file(name_or_path: str) -> Path:
    if name_or_path.endswith((".yaml", ".yml")):
        return Path(name_or_path)
    if name_or_path not in names():
        asked = meant(name_or_path, names())
        raise FaultError(
            f"no fault is named {name_or_path!r}{asked and f'; {asked}'}\n  (give the path of a file, or the name of one of the "
            f"{len(names())} in manifests/{FAULTS.name})"
        )
    return _files()[name_or_path]
