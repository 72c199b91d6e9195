"""Service discovery as the platform reads it: which entries there are, what makes one valid, and when one is healthy; pure.

The rules are those of the platform's reader (thinkube-control), as its contract states them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from support.core.errors import SuiteError
from support.core.validation import explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from support.kube.objects import Object, Objects

# By this label the platform finds entries, in all namespaces.
SELECTOR: Final = {"thinkube.io/managed": "true"}
# Under this key an entry stands in its ConfigMap.
KEY: Final = "service.yaml"

# Whoever is asked for a token lives; 410 is how an API says that this version of it is gone.
_ASKS_FOR_A_TOKEN: Final = {401, 403}


class NotValidError(SuiteError, ValueError):
    """An entry that the platform does not take; the text says everything that is wrong, and shows no value."""


class _Part(BaseModel):
    # What the reader does not know it overlooks; numbers are as good as words.
    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, coerce_numbers_to_str=True
    )


class Endpoint(_Part):
    """An address of a service."""

    name: str
    type: Literal["http", "grpc", "tcp", "postgres", "redis", "docker-registry", "internal"]
    url: str
    health_url: Annotated[str, Field(max_length=500)] | None = None
    primary: bool = False


class SecretKey(_Part):
    """A value in a Secret of the entry's namespace."""

    secret: str
    key: str


class Variable(_Part):
    """An environment variable for users of a service: its value, or the name of the Secret that holds it."""

    name: str
    value: str | None = Field(default=None, repr=False)  # may be a secret
    value_from: SecretKey | None = None


class Scaling(_Part):
    """What the platform scales when a service is switched off and on."""

    resource_type: Literal["deployment", "statefulset", "daemonset"]


class Service(_Part):
    """A service as its entry describes it."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=255)]
    type: Literal["core", "optional", "user_app"]
    endpoints: tuple[Endpoint, ...] = ()
    scaling: Scaling | None = None
    environment_variables: tuple[Variable, ...] = ()

    def primary(self) -> Endpoint | None:
        """Return the endpoint on which health is judged, None when there is none."""
        return next((endpoint for endpoint in self.endpoints if endpoint.primary), None)


@dataclass(frozen=True)
class Entry:
    """A valid entry: where it stands, and what it says."""

    namespace: str
    labels: Mapping[str, str]
    service: Service


def document(configmap: Object) -> Any:
    """Return what the text of an entry says, whether that is valid or not.

    Raises `NotValidError` when there is none or it is not YAML.
    """
    text = (configmap.get("data") or {}).get(KEY)
    if text is None:
        raise NotValidError(f"has no {KEY}")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise NotValidError(f"{KEY} is not YAML") from None


def read(configmap: Object) -> Entry:
    """Return the entry that a ConfigMap holds; raises `NotValidError` where the platform would not take it."""
    said = document(configmap)
    if not isinstance(said, dict) or "service" not in said:
        raise NotValidError(f"{KEY} has no top key service")
    try:
        service = Service.model_validate(said["service"])
    except ValidationError as error:
        problems = "; ".join(f"{path}: {text}" for path, text in explain(error, Service))
        raise NotValidError(problems) from None
    metadata = configmap["metadata"]
    return Entry(metadata["namespace"], metadata.get("labels") or {}, service)


def entries(configmaps: Iterable[Object]) -> list[Entry]:
    """Return the valid entries among ConfigMaps; the others are overlooked, as the platform does."""
    found = []
    for configmap in configmaps:
        try:
            found.append(read(configmap))
        except NotValidError:
            continue
    return found


def entry_in(configmaps: Objects, namespace: str) -> Entry:
    """Return the entry of a namespace; raises `NotValidError` where none of its ConfigMaps holds a valid one."""
    here = [one for one in configmaps if one["metadata"]["namespace"] == namespace]
    if not here:
        raise NotValidError(f"no ConfigMap in {namespace} is marked as managed by the platform")
    for configmap in here:
        if KEY in (configmap.get("data") or {}):
            return read(configmap)
    raise NotValidError(f"no ConfigMap in {namespace} has {KEY}")


def is_healthy(status: int) -> bool:
    """Whether the platform takes the answer of a health address, by its HTTP status, for that of a service in health."""
    return 200 <= status < 400 or status in _ASKS_FOR_A_TOKEN
