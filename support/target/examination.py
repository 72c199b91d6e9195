"""Whether a target is there as it is described, and the token that lets us in: all that is wrong is said at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from support.chroma.reachable import Credential, Tenancy
from support.core.component import TOKEN_HEADER
from support.core.validation import meant
from support.kube.errors import ApiError
from support.kube.probe import is_there
from support.kube.secrets import decoded
from support.platform.pull_secret import KIND, flaw_of, needed
from support.target.deployed import port_of, template_of
from support.target.description import FIND_OUT, TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.kube.objects import Object
    from support.target.deployed import Deployed
    from support.target.description import Token

_KINDS: Final = ("Deployment", "StatefulSet")
_REMEDY: Final = f"make one of type {KIND} there (`kubectl create secret docker-registry`), or leave it out where the nodes pull without"


def examine(
    deployed: Deployed, file: Path, environ: Mapping[str, str], vantage: str | None = None
) -> Credential:
    """Return what lets us in, once all is there that the file describes; raises `TargetError`, `ApiError`.

    `vantage` is the namespace that its pod is given; "" where it has one of its own, None where there is no pod.
    """
    stated = deployed.stated
    if not is_there(deployed.kube, stated.namespace):
        raise TargetError(
            file,
            [f"namespace: there is no namespace {stated.namespace} (`kubectl get namespaces` lists them)"],
        )
    problems = [*_of_workload(deployed), *_of_services(deployed), *_of_pull_secret(deployed, vantage)]
    secret = ""
    if stated.token:
        try:
            secret = _token(deployed, stated.token, environ)
        except LookupError as error:
            problems.append(f"token: {error.args[0]}")
    if problems:
        raise TargetError(file, problems)
    return Credential(SecretStr(secret), stated.token.header if stated.token else TOKEN_HEADER)


def tenancy_of(deployed: Deployed) -> Tenancy:
    """Return the tenant and the database that are meant."""
    return Tenancy(deployed.stated.tenant, deployed.stated.database)


def contradiction(stated: str, said: str) -> str:
    """Say that Chroma `said` another version of itself than is stated, "" where both may be true, or none is stated.

    Every 1.x says that it is 1.0.0 (docs/chroma.md).
    """
    if stated in {"", said}:
        return ""
    if stated.partition(".")[0] == said.partition(".")[0] != "0":
        return ""
    return (
        f"version: {stated} is stated, and what is there says that it is {said}; leave it out to {FIND_OUT}"
    )


def _of_workload(deployed: Deployed) -> Iterator[str]:
    stated = deployed.stated.workload
    workload = deployed.workload()
    if workload is None:
        others = [f"{kind} {one['metadata']['name']}" for kind in _KINDS for one in _listed(deployed, kind)]
        yield f"workload: there is no {deployed}; {_instead(f'{stated.kind} {stated.name}', others)}"
        return
    names = [one["name"] for one in template_of(workload)["spec"]["containers"]]
    if stated.container and stated.container not in names:
        yield f"workload.container: {deployed} has no container {stated.container}; {_instead(stated.container, names)}"


def _of_services(deployed: Deployed) -> Iterator[str]:
    workload = deployed.workload()
    for number, stated in enumerate(deployed.stated.services):
        place, service = f"services.{number}", deployed.service(stated)
        if service is None:
            others = [one["metadata"]["name"] for one in _listed(deployed, "Service")]
            where = f"{deployed.stated.namespace}/{stated.name}"
            yield f"{place}: there is no Service {where}; {_instead(stated.name, others)}"
        elif port_of(service, stated.port) is None:
            yield f"{place}.port: Service {stated.name} has no port {stated.port}; it has {_ports(service)}"
        elif workload and not _leads_to(service, workload):
            selector = (service["spec"].get("selector") or {}).items()
            words = ", ".join(f"{key}={value}" for key, value in selector) or "nothing"
            yield f"{place}: Service {stated.name} does not lead to {deployed}: it selects {words}"


def _of_pull_secret(deployed: Deployed, vantage: str | None) -> Iterator[str]:
    """Say why the nodes would not pull the image of the vantage, whose namespace gets a copy if it is made for it."""
    pull = deployed.stated.pull_secret
    if pull is None:
        return
    if vantage and not is_there(deployed.kube, vantage):
        vantage = ""
    for place in needed(pull, deploys=False, vantage=vantage):
        if flaw := flaw_of(place.found(deployed.kube), place):
            yield f"image_pull_secret: {flaw}; {_REMEDY}"


def _token(deployed: Deployed, token: Token, environ: Mapping[str, str]) -> str:
    """Return the token; a LookupError that says why there is none."""
    if token.environment:
        if found := environ.get(token.environment):
            return found
        raise LookupError(
            f"the variable {token.environment} of the environment is missing or empty: export it"
        )
    name, where = str(token.secret), deployed.stated.namespace
    secret = deployed.kube.get("Secret", name, where)
    if secret is None:
        raise LookupError(f"there is no Secret {where}/{name} (`kubectl get secrets --namespace {where}`)")
    values = decoded(secret)
    if token.key not in values:
        raise LookupError(
            f"Secret {where}/{name} has no key {token.key}; {_instead(str(token.key), list(values))}"
        )
    if not values[str(token.key)].strip():
        raise LookupError(f"{token.place(where)} is empty")
    # Who writes a Secret from a file often leaves the end of the line in it, which no header takes.
    return values[str(token.key)].rstrip("\r\n")


def _leads_to(service: Object, workload: Object) -> bool:
    selector = service["spec"].get("selector") or {}
    labels = template_of(workload)["metadata"].get("labels") or {}
    return bool(selector) and selector.items() <= labels.items()


def _ports(service: Object) -> str:
    ports = service["spec"].get("ports") or ()
    return ", ".join(
        f"{one['port']} ({one['name']})" if one.get("name") else str(one["port"]) for one in ports
    )


def _instead(name: str, others: list[str]) -> str:
    if not others:
        return "there is none at all"
    return meant(name, others) or f"there are: {', '.join(sorted(others))}"


def _listed(deployed: Deployed, kind: str) -> list[Object]:
    """Return the objects of a kind beside it; none where we may not look."""
    try:
        return deployed.kube.list(kind, deployed.stated.namespace)
    except ApiError as error:
        if error.unanswered:
            raise
        return []
