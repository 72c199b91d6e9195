"""What a file says of a Chroma that somebody else deployed: where it runs, how it is reached, and what lets us in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from support.core.component import DEFAULT_DATABASE, TENANT, TOKEN_HEADER
from support.core.errors import SuiteError
from support.core.validation import explain, read_mapping
from support.network.way import is_address
from support.platform.inventory import Address, Authority, ImageName, ObjectName, beside
from support.platform.pull_secret import PullSecret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Self

# Stands for a version that is asked for.
FIND_OUT: Final = "find out"
_VERSION: Final = rf"{FIND_OUT}|\d+\.\d+\.\d+"
_PORTS: Final = 1 << 16
# What may come from the platform's inventory as well, which knows more than any target needs.
_OF_THE_PLATFORM: Final = ("vantage_image", "image_pull_secret", "ca_bundle", "ingress_address")


class TargetError(SuiteError):
    """Everything that is wrong with a target, a line each, with what to do."""

    def __init__(self, file: Path, problems: Sequence[str]) -> None:
        first, *more = problems
        super().__init__(
            "\n  ".join([f"{file} cannot be used:", *problems]) if more else f"{file} cannot be used: {first}"
        )
        self.problems = tuple(problems)


def _url(value: str) -> str:
    if not is_address(value.rstrip("/")):
        raise ValueError(
            "give the scheme, the host and, if need be, the port alone, such as https://chroma.example.com"
        )
    return value.rstrip("/")


def _port(value: int | str) -> int | str:
    if isinstance(value, int) and not 0 < value < _PORTS:
        raise ValueError("is no port: give a number from 1 to 65535, or the name that the Service gives it")
    return value


def _version(value: str) -> str:
    if not re.fullmatch(_VERSION, value):
        raise ValueError(f"give a version such as 1.5.9, or leave it out to {FIND_OUT}")
    return value


def _some(services: tuple[ServicePort, ...]) -> tuple[ServicePort, ...]:
    if not services:
        raise ValueError("is empty: give one that leads to the workload, with its port")
    return services


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Workload(_Part):
    """What runs Chroma."""

    kind: Literal["Deployment", "StatefulSet"]
    name: ObjectName
    container: Annotated[
        str | None, Field(description="The container that runs Chroma, where its image does not tell.")
    ] = None


class ServicePort(_Part):
    """A port of a Service."""

    name: Annotated[ObjectName, Field(description="The name of the Service.")]
    port: Annotated[
        int | str, AfterValidator(_port), Field(description="The port of the Service, or its name.")
    ]


class Token(_Part):
    """Where the token lies, and how it is shown."""

    secret: Annotated[ObjectName | None, Field(description="A Secret beside the workload.")] = None
    key: Annotated[str | None, Field(description="The key of that Secret under which the token stands.")] = (
        None
    )
    environment: Annotated[
        str | None,
        Field(description="In place of a Secret: the variable of the environment that holds the token."),
    ] = None
    header: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9-]+$",
            description="The header in which the token is shown; in Authorization it is a bearer's.",
        ),
    ] = TOKEN_HEADER

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        of_secret = self.secret is not None and self.key is not None
        if of_secret == (self.environment is not None) or (self.secret is None) != (self.key is None):
            raise ValueError("give a secret with its key, or an environment variable")
        return self

    def place(self, namespace: str) -> str:
        """Say where the token comes from."""
        if self.environment:
            return f"variable {self.environment}"
        return f"key {self.key} of Secret {namespace}/{self.secret}"


class Description(_Part):
    """A Chroma that somebody else deployed; no name of an object is taken for granted."""

    namespace: ObjectName
    workload: Workload
    services: Annotated[
        tuple[ServicePort, ...],
        AfterValidator(_some),
        Field(
            description="The Services that lead to it; the first is the one that other pods use.",
            json_schema_extra={"minItems": 1},
        ),
    ]
    url: Annotated[
        str,
        AfterValidator(_url),
        Field(
            description="Where users reach it, such as https://chroma.example.com; by the first Service unless given."
        ),
    ] = ""
    token: Annotated[Token | None, Field(description="Without one it is expected to ask for none.")] = None
    version: Annotated[
        str,
        BeforeValidator(str),  # YAML takes some for numbers
        AfterValidator(_version),
        Field(
            description="Chroma's version, such as 1.5.9; 1.x itself tells no more than that.",
            json_schema_extra={"pattern": f"^({_VERSION})$"},
        ),
    ] = FIND_OUT
    tenant: Annotated[str, Field(description="The tenant in which the run makes its databases.")] = TENANT
    database: Annotated[
        str, Field(description="The tenant's database in which callers ask for collections.")
    ] = DEFAULT_DATABASE
    vantage_image: Annotated[
        ImageName | None,
        Field(
            description="The probe image, from which the ways inside the cluster are seen; not seen without it."
        ),
    ] = None
    image_pull_secret: Annotated[
        ObjectName | None,
        Field(
            description="The Secret, of type kubernetes.io/dockerconfigjson, with which nodes pull vantage_image; without it they "
            "pull as anybody may."
        ),
    ] = None
    image_pull_namespace: Annotated[
        ObjectName | None,
        Field(description="The namespace of that Secret; that of the workload unless given."),
    ] = None
    ca_bundle: Annotated[
        Authority | None,
        Field(description="The PEM file of the authority behind the url; relative to this file."),
    ] = None
    ingress_address: Annotated[
        Address | None,
        Field(
            description="The IP address or name at which the host of the url is reached, where DNS does not name it."
        ),
    ] = None

    @property
    def pull_secret(self) -> PullSecret | None:
        """The Secret with which the vantage's image is pulled, None without one."""
        where = self.image_pull_namespace or self.namespace
        return PullSecret(where, self.image_pull_secret) if self.image_pull_secret else None


def read(file: Path, platform: Mapping[str, Any]) -> Description:
    """Return what a file says; what it leaves out of what a platform gives comes from `platform`.

    Raises `TargetError`, which names everything that is wrong with it.
    """
    try:
        stated = read_mapping(file)
    except ValueError as error:
        raise TargetError(file, [str(error)]) from None
    if isinstance(stated.get("ca_bundle"), str):
        stated["ca_bundle"] = beside(file, stated["ca_bundle"])
    given = {name: platform[name] for name in _OF_THE_PLATFORM if platform.get(name)}
    if "image_pull_secret" in given and "image_pull_secret" not in stated:
        # There it lies beside the certificate.
        given["image_pull_namespace"] = platform.get("certificate_namespace", "default")
    try:
        return Description.model_validate({**given, **stated})
    except ValidationError as error:
        problems = [f"{name}: {text}" for name, text in explain(error, Description)]
        raise TargetError(file, problems) from None
