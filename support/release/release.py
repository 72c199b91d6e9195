"""A release: one version of Chroma with one configuration; `catalogue` reads it from a file."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from support.core.component import CLAIM, HEARTBEAT, READY
from support.core.errors import SuiteError
from support.core.quantities import parse_bytes, parse_quantity
from support.core.validation import checked
from support.release import origins, versions

# What people run unless they say otherwise.
USUAL: Final = "gateway"

# How its entry in the platform's service discovery gives the token: by the name of its Secret, or, as the documented
# component does, by its value in a ConfigMap, for all who may read ConfigMaps.
Discovery = Literal["safe", "documented"]
DISCOVERIES: tuple[Discovery, ...] = get_args(Discovery)


class ReleaseError(SuiteError):
    """A release that is not there, or whose file is wrong; the text says which and what to do."""


class _Part(BaseModel):
    # A number is a text where one is due: `cpu: 2`, `CHROMA_PORT: 8001`.
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


def _one(replicas: int) -> int:
    if replicas != 1:
        raise ValueError(
            "Chroma keeps its data in files that one process may write: a second pod would break them; leave it at 1, "
            "and give the one pod more memory or processors (chroma.memory, chroma.cpu)"
        )
    return replicas


Processors = Annotated[str, AfterValidator(checked(parse_quantity))]
Bytes = Annotated[str, AfterValidator(checked(parse_bytes))]


class Amount(_Part):
    """What a container asks for and the most it gets."""

    @model_validator(mode="after")
    def _is_no_more_than_the_most(self) -> Self:
        request, limit = (getattr(self, name) for name in ("request", "limit"))
        if parse_quantity(request) > parse_quantity(limit):
            raise ValueError(f"its request of {request} is above its limit of {limit}")
        return self


class Memory(Amount):
    """Memory in bytes, as quantities of Kubernetes ("512Mi")."""

    request: Bytes = "512Mi"
    limit: Bytes = "2Gi"


class Cpu(Amount):
    """Processors, as quantities of Kubernetes ("250m", "2")."""

    request: Processors = "250m"
    limit: Processors = "1"


class FromSecret(_Part):
    """The value of a variable that stands in a Secret of the release."""

    secret: str
    key: str


class Probe(_Part):
    """How the kubelet asks: when first and how often (seconds), and how many seconds and failures it bears."""

    delay: int
    period: int
    timeout: int = 1
    failures: int = 3


class Readiness(Probe):
    """How the kubelet asks whether requests may come; without a path where the release knows it best."""

    path: str | None = None
    delay: int = 10
    period: int = 5


class Liveness(Probe):
    """How the kubelet asks whether the container has to be started again."""

    path: str = HEARTBEAT
    delay: int = 30
    period: int = 10


class Chroma(_Part):
    """The container that runs Chroma; the claim is mounted at `data`."""

    image: str
    arguments: tuple[str, ...] | None = None
    environment: Mapping[str, str | FromSecret] = {}
    data: str = "/data"
    memory: Memory = Memory()
    cpu: Cpu = Cpu()
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
    size: Bytes = "10Gi"


class Release(_Part):
    """One version of Chroma with one configuration; the defaults are those of the documented component.

    Images are names and tags below the inventory's registry and project.
    """

    name: str
    title: str = Field(min_length=1)
    chroma: Chroma
    gateway: Gateway | None = None
    claim: Claim = Claim()
    replicas: Annotated[int, AfterValidator(_one)] = 1
    user: int = 1000
    discovery: Discovery = "safe"

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
    def keeper(self) -> bool:
        """Whether a keeper beside Chroma tells the gateway when every collection answers, and whether the volume has room."""
        return self.gateway is not None and versions.keeps(self.chroma.image)

    @property
    def ready_at(self) -> str:
        """The path at which the kubelet asks whether requests may come."""
        return self.chroma.readiness.path or (READY if self.keeper else HEARTBEAT)

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do, of what not every release can: what is not known of its version is not claimed."""
        candidates = versions.candidates(self.chroma.image)
        of_version = frozenset.intersection(*(one.capabilities for one in candidates))
        of_version |= {
            versions.AUTHENTICATION
        }  # each has to, and where one does not, a scenario has to notice
        if versions.keeps(self.chroma.image):
            of_version |= {versions.INTEGRITY}
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
