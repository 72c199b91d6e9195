"""The inventory: what the platform gives, checked as a whole before anything is touched."""

import re
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SecretStr,
    ValidationError,
)

from support.core.errors import SuiteError
from support.core.validation import explain, read_mapping

# Which cluster it is, the environment does not say.
_CLUSTER = ("kubeconfig", "context")
# The values that name files: in a file relative to its own folder, as in a kubeconfig; elsewhere to where the run was called.
_PATHS = ("kubeconfig", "ca_bundle")

_DNS_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DNS_NAME = rf"(?=.{{1,253}}$){_DNS_LABEL}(\.{_DNS_LABEL})*"

# What to do about a value that is missing or wrong.
REMEDY = {
    "domain_name": "give the platform's domain, such as example.com",
    "admin_username": "give the platform's administrator, such as tkadmin",
    "primary_ingress_class": "give a class that `kubectl get ingressclass` lists, such as nginx",
    "exposure": "give ingress, or route where hosts are exposed by an HTTPRoute of the Gateway API",
    "gateway_name": "give a Gateway that `kubectl get gateways -A` lists, such as thinkube-gateway",
    "gateway_namespace": "give the namespace of the Gateway (`kubectl get gateways -A`), such as gateway-system",
    "gateway_section": "give the name of the Gateway's listener for https, such as https",
    "gateway_http_section": "give the name of the Gateway's listener for plain http, such as http",
    "kubeconfig": "give the path of the cluster's kubeconfig",
    "context": "give a context that `kubectl config get-contexts` lists, or leave it out for the current one",
    "admin_password": "export ADMIN_PASSWORD with at least 16 printable ASCII characters and no blank at its ends",
    "harbor_registry": "give host[:port] of the registry that holds the images, such as harbor.example.com",
    "library_project": "give the registry's project that holds the images, such as library",
    "storage_class_name": "give a class that `kubectl get storageclass` lists, such as k8s-hostpath",
    "ingress_address": "give the IP address or the name of the ingress, or leave it out to resolve the host's name",
    "ca_bundle": "give the path of the PEM file of the authority, or leave it out to trust the system's",
    "certificate_namespace": "give the namespace that holds the platform's wildcard certificate, such as default",
    "image_pull_secret": (
        "give the name of a Secret of type kubernetes.io/dockerconfigjson beside the platform's certificate, or leave it out "
        "where the nodes pull without"
    ),
    "cluster_domain": "give the domain of the cluster's DNS, such as cluster.local (`kubectl -n kube-system get configmap coredns`)",
    "ipv6_pods": "give true where pods have addresses of IPv6, or leave it out",
    "vantage_image": "give the full name of the probe image that the cluster can pull",
}


# How a host is exposed to users: by an Ingress, or by an HTTPRoute of the Gateway API.
INGRESS: Final = "ingress"
ROUTE: Final = "route"


class InventoryError(SuiteError):
    """Everything that is missing or wrong in an inventory, a line each, with its remedy."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n  ".join(["the inventory is incomplete or wrong:", *problems]))
        self.problems = tuple(problems)


# Says what is wrong with values that are right as such, a line each.
Check = Callable[[Mapping[str, Any]], Iterable[str]]


def _matching(pattern: str, what: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(f"is not {what}")
        return value

    return AfterValidator(check)


def _address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        # What looks like an address and is none is no name either.
        if re.fullmatch(_DNS_NAME, value) and not re.fullmatch(r"[\d.]*", value):
            return value
        raise ValueError("is neither an IP address nor the name of a host") from None


def _token(secret: SecretStr) -> SecretStr:
    """Refuse what HTTP or a client would alter on its way: blanks at the ends, control and non-ASCII characters."""
    value = secret.get_secret_value()
    if not value:
        raise ValueError("is empty")
    if not re.fullmatch(r"[ -~]*", value):
        raise ValueError("holds a character that is not printable ASCII")
    if value != value.strip():
        raise ValueError("begins or ends with a blank")
    if len(value) < 16:
        raise ValueError("is shorter than 16 characters")
    return secret


# "chroma." in front of it must still be a name of at most 253 characters.
DomainName = Annotated[str, _matching(rf"(?=.{{1,246}}$){_DNS_LABEL}(\.{_DNS_LABEL})*", "a DNS name")]
ObjectName = Annotated[str, _matching(_DNS_NAME, "a name of Kubernetes")]
# It names the client in the gateway's list of tokens, whose lines end with it.
ClientName = Annotated[str, _matching(r"[A-Za-z0-9._-]{1,64}", "made of letters, digits, '.', '_' and '-'")]
Registry = Annotated[str, _matching(rf"{_DNS_LABEL}(\.{_DNS_LABEL})*(:\d{{1,5}})?", "host[:port]")]
Repository = Annotated[
    str, _matching(r"[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*", "a project of a registry")
]
ImageName = Annotated[str, _matching(r"[^\s/]+(/[^\s/]+)*", "the name of an image")]


def _file(value: Any) -> Path:
    """Take the path of a file; what is wrong with it is reported with the path that was tried."""
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("is not a path")
    try:
        path = Path(value).expanduser().absolute()
    except RuntimeError as error:  # of a user whom nobody knows
        raise ValueError(f"{value}: {error}") from None
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None


def _authority(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        raise ValueError(f"{path}: holds no certificate in PEM form") from None
    return path


UserPath = Annotated[Path, BeforeValidator(_file)]
Authority = Annotated[UserPath, AfterValidator(_authority)]
Address = Annotated[str, AfterValidator(_address)]


class Inventory(BaseModel):
    """What the platform gives; the names are those of the documented component's variables."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    domain_name: DomainName
    admin_username: ClientName
    # None where a route exposes the host: then the platform need not have an ingress controller.
    primary_ingress_class: ObjectName | None
    exposure: Literal["ingress", "route"] = INGRESS
    gateway_name: ObjectName = "thinkube-gateway"
    gateway_namespace: ObjectName = "gateway-system"
    gateway_section: ObjectName = "https"
    gateway_http_section: ObjectName = "http"
    kubeconfig: UserPath
    context: str | None = None
    admin_password: Annotated[SecretStr, AfterValidator(_token)]
    harbor_registry: Registry
    library_project: Repository = "library"
    storage_class_name: ObjectName = "k8s-hostpath"
    ingress_address: Address | None = None
    ca_bundle: Authority | None = None
    certificate_namespace: ObjectName = "default"
    vantage_image: ImageName
    # A Secret beside the certificate: each release takes a copy, with which the nodes pull its images.
    image_pull_secret: ObjectName | None = None
    cluster_domain: DomainName = "cluster.local"
    # Whether pods have addresses of IPv6, alone or besides: then the gateway listens on these, too.
    ipv6_pods: bool = False

    def inside(self, service: str, namespace: str) -> str:
        """Return the name under which other pods find a Service, or a pod behind a headless one ("pod.service")."""
        return f"{service}.{namespace}.svc.{self.cluster_domain}"

    def with_token(self, token: str) -> "Inventory":
        """Return the same platform with another token."""
        return self.model_copy(update={"admin_password": SecretStr(token)})

    @classmethod
    def load(
        cls,
        file: Path | None,
        given: Mapping[str, Any],
        environ: Mapping[str, str],
        check: Check = lambda _: (),
    ) -> "Inventory":
        """Load an inventory from what a provider gave, a YAML file over it, and the environment over both.

        The environment's names are the fields' in upper case. ADMIN_PASSWORD is taken from there alone; the
        kubeconfig and its context never are, and the provider's stand against the file's: a cluster that
        merely happens to be the current one is not touched. A path in the file is relative to the file's folder. `check` is shown those values that are right as such.

        Raises:
            InventoryError: everything that is missing or wrong, at once; no value of it is shown.

        """
        stated, problems = _stated(file)
        exported = {
            name: environ[name.upper()]
            for name in cls.model_fields
            if name not in _CLUSTER and name.upper() in environ
        }
        pinned = {name: given[name] for name in _CLUSTER if name in given}
        values = {**given, **stated, **exported, **pinned}
        if values.get("exposure") == ROUTE:
            values.setdefault("primary_ingress_class", None)
        try:
            inventory = cls.model_validate(values)
            sound = dict(inventory)
        except ValidationError as error:
            sound = _sound(cls, values, error)
            for name, text in explain(error, cls):
                source = f"in {file}" if name in stated and name not in exported else ""
                problems.append(_line(name, text, "in the environment" if name in exported else source))
        if sound.get("exposure") != ROUTE and sound.get("primary_ingress_class", "") is None:
            problems.append(_line("primary_ingress_class", "missing", ""))
        problems += check(sound)
        if problems:
            raise InventoryError(problems)
        return inventory


def exposure_of(file: Path | None, environ: Mapping[str, str], usual: str) -> str:
    """Return how hosts are exposed, as far as that is stated: what is wrong with the rest is for `Inventory.load` to say."""
    stated, _ = _stated(file)
    return str(environ.get("EXPOSURE") or stated.get("exposure") or usual)


def values_of(file: Path | None, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of an inventory that are right as such, where others may be missing or wrong."""
    found: dict[str, Any] = {}

    def see(sound: Mapping[str, Any]) -> Iterable[str]:
        found.update(sound)
        return ()

    with suppress(InventoryError):
        Inventory.load(file, {}, environ, see)
    return found


def _sound(model: type[BaseModel], values: Mapping[str, Any], error: ValidationError) -> dict[str, Any]:
    """Return the values that are right as such, defaults among them, where others are wrong."""
    problems = {problem["loc"][0] for problem in error.errors(include_input=False)}
    usual = {name: field.default for name, field in model.model_fields.items() if not field.is_required()}
    return {name: value for name, value in {**usual, **values}.items() if name not in problems}


def _stated(file: Path | None) -> tuple[dict[str, Any], list[str]]:
    """Return what the file states without a password, and what is wrong with the file as such."""
    if file is None:
        return {}, []
    try:
        stated = read_mapping(file)
    except ValueError as error:
        return {}, [f"{file} {error}"]
    kept = {name: value for name, value in stated.items() if str(name).lower() != "admin_password"}
    values = kept | {name: beside(file, kept[name]) for name in _PATHS if kept.get(name)}
    if kept == stated:
        return values, []
    return values, [f"admin_password must not stand in {file}: take it out, and {REMEDY['admin_password']}"]


def beside(file: Path, path: Any) -> Any:
    """Return a path that a file states as it is meant there; one from the root or a home folder is meant as it is."""
    if not isinstance(path, str) or path.startswith("~"):
        return path
    return str(file.absolute().parent / path)


def _line(name: str, text: str, source: str) -> str:
    """Say what is wrong with a value, where it stands, and what to do."""
    variable = name.upper()
    if name not in REMEDY:
        return f"{' '.join(filter(None, (name, source)))}: {text}"
    if name == "admin_password":
        return f"{variable}: {text}; {REMEDY[name]}"
    if text == "missing":
        elsewhere = "" if name in _CLUSTER else f" or as {variable} in the environment"
        return f"{name}: missing; {REMEDY[name]}, in the inventory file{elsewhere}"
    subject = variable if source == "in the environment" else name
    return f"{' '.join(filter(None, (subject, source)))}: {text}; {REMEDY[name]}"
