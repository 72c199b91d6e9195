"""A release: one version of Chroma with one configuration, as a file in manifests/releases states it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from support.core.component import CLAIM, HEARTBEAT
from support.core.errors import SuiteError
from support.core.merge_patch import merge
from support.core.validation import explain, meant, read_mapping
from support.release import origins, versions

RELEASES = Path(__file__).parents[2] / "manifests" / "releases"

# What people run unless they say otherwise.
USUAL: Final = "gateway"
# A release that extends this differs from whichever is under test: what spoils one spoils each.
_UNDER_TEST: Final = "the release under test"

# How its entry in the platform's service discovery gives the token: by the name of its Secret, or, as the documented
# component does, by its value in a ConfigMap, for all who may read ConfigMaps.
Discovery = Literal["safe", "documented"]
DISCOVERIES: tuple[Discovery, ...] = get_args(Discovery)


class ReleaseError(SuiteError):
    """A release that is not there, or whose file is wrong; the text says which and what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Amount(_Part):
    """What a container asks for and the most it gets, as quantities of Kubernetes ("512Mi", "250m")."""

    request: str
    limit: str


class FromSecret(_Part):
    """The value of a variable that stands in a Secret of the release."""

    secret: str
    key: str


class Probe(_Part):
    """How the kubelet asks: where, when first and how often (seconds), and how many seconds and failures it bears."""

    path: str = HEARTBEAT
    delay: int
    period: int
    timeout: int = 1
    failures: int = 3


class Readiness(Probe):
    """How the kubelet asks whether requests may come."""

    delay: int = 10
    period: int = 5


class Liveness(Probe):
    """How the kubelet asks whether the container has to be started again."""

    delay: int = 30
    period: int = 10


class Chroma(_Part):
    """The container that runs Chroma; the claim is mounted at `data`."""

    image: str
    arguments: tuple[str, ...] | None = None
    environment: Mapping[str, str | FromSecret] = {}
    data: str = "/data"
    memory: Amount = Amount(request="512Mi", limit="2Gi")
    cpu: Amount = Amount(request="250m", limit="1")
    readiness: Readiness = Readiness()
    liveness: Liveness = Liveness()


class Gateway(_Part):
    """The side-car that asks for the token, in X-Chroma-Token, and if so configured in Authorization (Bearer) as well."""

    image: str
    accept_bearer: bool = False


class Claim(_Part):
    """The claim that holds the data; without a storage class it takes the inventory's."""

    name: str = CLAIM
    storage_class: str | None = None
    size: str = "10Gi"


class Release(_Part):
    """One version of Chroma with one configuration; the defaults are those of the documented component.

    Images are names and tags below the inventory's registry and project.
    """

    name: str
    title: str = Field(min_length=1)
    chroma: Chroma
    gateway: Gateway | None = None
    claim: Claim = Claim()
    user: int = 1000
    discovery: Discovery = "safe"

    @classmethod
    def named(cls, name: str, under_test: str = USUAL) -> "Release":
        """Load manifests/releases/NAME.yaml, which states only how it differs from the release it `extends`.

        Raises:
            ReleaseError: no such release, or everything that is wrong in its file.

        """
        try:
            return cls.model_validate({**_stated(name, under_test), "name": name})
        except ValidationError as error:
            problems = "; ".join(f"{path}: {text}" for path, text in explain(error, cls))
            raise ReleaseError(f"release {name!r} ({RELEASES.name}/{name}.yaml): {problems}") from None

    @model_validator(mode="after")
    def _knows_its_origins(self) -> Self:
        stated = self.chroma.environment.get(origins.VARIABLE)
        if self.gateway and isinstance(stated, FromSecret):
            raise ValueError(
                f"{origins.VARIABLE} stands in a Secret, where the gateway cannot read it; state it"
            )
        _ = self.origins
        return self

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins whose pages the gateway lets browsers ask from ("*": any); none without a gateway."""
        stated = self.chroma.environment.get(origins.VARIABLE)
        return origins.parse(stated) if self.gateway and isinstance(stated, str) else ()

    @property
    def images(self) -> tuple[str, ...]:
        """The images that it runs, as it names them."""
        return tuple(one.image for one in (self.chroma, self.gateway) if one)

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do, of what not every release can: what is not known of its version is not claimed."""
        candidates = versions.candidates(self.chroma.image)
        of_version = frozenset.intersection(*(one.capabilities for one in candidates))
        if self.gateway:
            return of_version | {versions.GATEWAY}
        if all(one.authentication for one in candidates):
            return of_version | {versions.NATIVE_AUTHENTICATION}
        return of_version

    def lacks(self, capability: str) -> str:
        """Say that it cannot do something, in a line."""
        return f'the release "{self.name}" ({self.chroma.image}) has not got {versions.MEANINGS[capability]}'

    @property
    def refusal(self) -> int:
        """The HTTP status by which it refuses a stranger."""
        known = versions.facts(self.chroma.image)
        if self.gateway or not known or not known.authentication:
            return 401  # as it is documented, and as the gateway does
        return known.authentication.refusal

    @property
    def open_paths(self) -> frozenset[str]:
        """The paths that it answers without a token, as far as its version is known."""
        known = versions.facts(self.chroma.image)
        return known.open if known and not self.gateway else frozenset()

    @property
    def telemetry(self) -> str | None:
        """The variable that keeps it from telling its makers of its use; None where none is known to be needed."""
        known = versions.facts(self.chroma.image)
        return known.telemetry if known else None


def names() -> list[str]:
    """Return the names of all releases, sorted."""
    return sorted(file.stem for file in RELEASES.glob("*.yaml"))


def for_people() -> list[str]:
    """Return the names of the releases that somebody may want: without those that spoil whichever is under test."""
    return [name for name in names() if _read(name).get("extends") != _UNDER_TEST]


def shares_fate(name: str, under_test: str) -> bool:
    """Whether what spoils the release under test spoils a release: it is that one, or states how it differs from it."""
    return name == under_test or (name in names() and _read(name).get("extends") == _UNDER_TEST)


def _read(name: str) -> dict[str, Any]:
    try:
        return read_mapping(RELEASES / f"{name}.yaml")
    except ValueError as error:
        raise ReleaseError(f"release {name!r} ({RELEASES.name}/{name}.yaml) {error}") from None


def _stated(name: str, under_test: str, heirs: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what a release and those that it extends state, merged."""
    if name in heirs:
        raise ReleaseError(f"release {name!r} extends itself: {' -> '.join((*heirs, name))}")
    if name not in names():
        asked = f", which {heirs[-1]!r} extends" if heirs else ""
        there = f"There are: {', '.join(for_people())}"
        remedy = " ".join(filter(None, (meant(name, names(), most=1), there)))
        raise ReleaseError(f"no release is named {name!r}{asked}; {remedy}")
    stated = _read(name)
    if "name" in stated:
        raise ReleaseError(f"release {name!r}: its name is that of its file; take `name` out of it")
    parent = stated.pop("extends", None)
    if parent is None:
        return stated
    parent = under_test if parent == _UNDER_TEST else str(parent)
    merged: dict[str, Any] = merge(_stated(parent, under_test, (*heirs, name)), stated)
    return merged
