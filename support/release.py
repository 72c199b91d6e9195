"""A release: one version of Chroma with one configuration, as a file in manifests/releases states it."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from support.merge import merge
from support.problems import explain, read_mapping

RELEASES = Path(__file__).parent.parent / "manifests" / "releases"


class ReleaseError(Exception):
    """A release that is not there, or whose file is wrong; the text says which and what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Amount(_Part):
    """What a container asks for and the most it gets, as quantities of Kubernetes ("512Mi", "250m")."""

    request: str
    limit: str


class Chroma(_Part):
    """The container that runs Chroma."""

    image: str
    arguments: tuple[str, ...] | None = None
    memory: Amount = Amount(request="512Mi", limit="2Gi")
    cpu: Amount = Amount(request="250m", limit="1")
    readiness_path: str = "/api/v2/heartbeat"


class Gateway(_Part):
    """The side-car that asks for the token."""

    image: str


class Claim(_Part):
    """The claim that holds the data; without a storage class it takes the inventory's."""

    name: str = "chroma-data-pvc"
    storage_class: str | None = None
    size: str = "10Gi"


class Release(_Part):
    """One version of Chroma with one configuration; the defaults are those of the documented component.

    Images are names and tags below the inventory's registry and project.
    """

    name: str
    title: str = Field(min_length=1)
    chroma: Chroma
    gateway: Gateway
    claim: Claim = Claim()
    user: int = 1000

    @classmethod
    def named(cls, name: str) -> "Release":
        """Load manifests/releases/NAME.yaml, which states only how it differs from the release it `extends`.

        Raises:
            ReleaseError: no such release, or everything that is wrong in its file.

        """
        try:
            return cls.model_validate({**_stated(name), "name": name})
        except ValidationError as error:
            problems = "; ".join(f"{path}: {text}" for path, text in explain(error, cls))
            raise ReleaseError(f"release {name!r} ({RELEASES.name}/{name}.yaml): {problems}") from None


def names() -> list[str]:
    """Return the names of all releases, sorted."""
    return sorted(file.stem for file in RELEASES.glob("*.yaml"))


def _stated(name: str, heirs: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what a release and those that it extends state, merged."""
    if name in heirs:
        raise ReleaseError(f"release {name!r} extends itself: {' -> '.join((*heirs, name))}")
    if name not in names():
        asked = f", which {heirs[-1]!r} extends" if heirs else ""
        raise ReleaseError(f"no release is named {name!r}{asked}; there are: {', '.join(names())}")
    try:
        stated = read_mapping(RELEASES / f"{name}.yaml")
    except ValueError as error:
        raise ReleaseError(f"release {name!r} ({RELEASES.name}/{name}.yaml) {error}") from None
    if "name" in stated:
        raise ReleaseError(f"release {name!r}: its name is that of its file; take `name` out of it")
    parent = stated.pop("extends", None)
    if parent is None:
        return stated
    merged: dict[str, Any] = merge(_stated(str(parent), (*heirs, name)), stated)
    return merged
