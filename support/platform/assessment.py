"""Judges whether a platform has what an inventory says of it; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from support.kube.exposure import Parent
from support.platform.certificate import Source, flaws, missing, unpack
from support.platform.gateway import Guest
from support.platform.gateway import flaws as flaws_of_gateway
from support.platform.inventory import REMEDY, ROUTE
from support.platform.permissions import describe
from support.platform.pull_secret import flaw_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from support.kube.objects import Object
    from support.platform.pull_secret import PullSecret
    from support.platform.rights import Grant

# HTTP statuses by which every question is refused: 0 is none at all, 401 means that the user is unknown.
NOBODY_THERE: Final = {0, 401}
_ISSUE: Final = "let the platform issue it (cert-manager: `kubectl get certificate -A`)"
_GRANT: Final = "let an administrator grant what `pytest --rights MODE` prints"


@dataclass(frozen=True)
class Unknown:
    """What could not be looked at, and why."""

    why: str


@dataclass(frozen=True)
class Platform:
    """What a cluster shows of what an inventory names; None where the inventory names nothing to look for.

    `silence` says why the nodes have no answer from the registry, "" when they have; `lacking` names the rights that
    the user has not; `nameless` says why this machine knows no address of the release's host, "" when it does; `gateway`
    is the one that is to expose the host, `pull_secrets` what the nodes are to pull with, by their places; `nodes` are those of the cluster.
    """

    ingress_classes: frozenset[str] | Unknown
    storage_classes: frozenset[str] | Unknown
    certificate: Object | Unknown | None
    lacking: tuple[Grant, ...] | Unknown
    silence: str | Unknown
    nameless: str | Unknown
    gateway: Object | Unknown | None = None
    pull_secrets: Mapping[PullSecret, Object | Unknown | None] | Unknown = field(default_factory=dict)
    nodes: Sequence[Object] | Unknown = ()


@dataclass(frozen=True)
class Assessment:
    """What is wrong, each with its remedy, what could not be found out, and warnings; a line each."""

    problems: tuple[str, ...]
    unknown: tuple[str, ...]
    warned: tuple[str, ...] = ()


def unusable(status: int, message: str) -> Assessment:
    """Judge an inventory whose cluster cannot be asked for anything, by the first refusal's HTTP status."""
    if status:
        problems = f"kubeconfig: its cluster does not know its user ({message}); renew the credentials"
    else:
        problems = (
            f"kubeconfig: its cluster does not answer ({message}); start it, and see that this machine "
            "reaches and trusts it"
        )
    return Assessment((problems,), ())


def judge(stated: Mapping[str, Any], platform: Platform, now: datetime) -> Assessment:
    """Judge the values of an inventory, of which some may be missing, against what a cluster has."""
    judged = [*_classes(stated, platform), *_gateway(stated, platform), *_certificate(stated, platform, now)]
    judged += [*_registry(stated, platform), *_pull_secrets(platform), *_rights(platform)]
    judged += _addresses(stated, platform)
    return Assessment(
        problems=tuple(each for each in judged if isinstance(each, str)),
        unknown=tuple(each.why for each in judged if isinstance(each, Unknown)),
        warned=(*_host(stated, platform), *_conveniences(platform)),
    )


def _classes(stated: Mapping[str, Any], platform: Platform) -> Iterator[str | Unknown]:
    for name, known in (
        ("primary_ingress_class", platform.ingress_classes),
        ("storage_class_name", platform.storage_classes),
    ):
        if (value := stated.get(name)) is None:
            continue
        if isinstance(known, Unknown):
            yield Unknown(f"{name}: whether the cluster has {value} ({known.why})")
        elif value not in known:
            there = ", ".join(sorted(known)) or "none"
            yield f"{name}: the cluster has no {value}, but {there}; {REMEDY[name]}"


_SECTIONS: Final = {"gateway_section": "HTTPS", "gateway_http_section": "HTTP"}


def _gateway(stated: Mapping[str, Any], platform: Platform) -> Iterator[str | Unknown]:
    """Judge the Gateway by which the host is to be exposed, and its two listeners."""
    if (
        stated.get("exposure") != ROUTE
        or not {"gateway_name", "gateway_namespace", *_SECTIONS} <= stated.keys()
    ):
        return
    where, name = stated["gateway_namespace"], stated["gateway_name"]
    if isinstance(platform.gateway, Unknown):
        yield Unknown(f"gateway_name: whether Gateway {where}/{name} takes routes ({platform.gateway.why})")
        return
    hosts = (host(stated["domain_name"]),) if "domain_name" in stated else ()
    found = {
        (field if flaw.of == "section" else "gateway_name", flaw.why): None
        for field, protocol in _SECTIONS.items()
        for flaw in flaws_of_gateway(
            platform.gateway, Parent(where, name, stated[field], protocol), Guest("", None, hosts)
        )
    }
    yield from (f"{field}: {why}; {REMEDY[field]}" for field, why in found)


def _certificate(stated: Mapping[str, Any], platform: Platform, now: datetime) -> Iterator[str | Unknown]:
    if not {"domain_name", "certificate_namespace"} <= stated.keys():
        return
    source = Source.of(stated["domain_name"], stated["certificate_namespace"])
    secret = platform.certificate
    if isinstance(secret, Unknown):
        yield f"domain_name: {source} cannot be read ({secret.why}); {_GRANT}"
    elif secret is None:
        yield f"domain_name: {missing(source)}; {_ISSUE}"
    elif tls := unpack(secret):
        for flaw in flaws(tls, source.wildcard, now):
            yield f"domain_name: the certificate in {source} {flaw}; {_ISSUE} anew"
    else:
        yield f"domain_name: {source} has no certificate and key under tls.crt and tls.key; {_ISSUE} anew"


def _registry(stated: Mapping[str, Any], platform: Platform) -> Iterator[str | Unknown]:
    if "harbor_registry" not in stated:
        return
    value = stated["harbor_registry"]
    if isinstance(platform.silence, Unknown):
        yield Unknown(f"harbor_registry: whether the nodes reach {value} ({platform.silence.why})")
    elif platform.silence:
        yield (
            f"harbor_registry: the nodes do not reach {value} ({platform.silence}); "
            f"{REMEDY['harbor_registry']}, and see that its name leads to it from every node"
        )


def _pull_secrets(platform: Platform) -> Iterator[str]:
    if isinstance(platform.pull_secrets, Unknown):
        yield f"image_pull_secret: whether it is there cannot be seen ({platform.pull_secrets.why}); {_GRANT}"
        return
    for place, secret in platform.pull_secrets.items():
        if isinstance(secret, Unknown):
            yield f"image_pull_secret: {place} cannot be read ({secret.why}); {_GRANT}"
        elif flaw := flaw_of(secret, place):
            yield f"image_pull_secret: {flaw}; {REMEDY['image_pull_secret']}"


def _addresses(stated: Mapping[str, Any], platform: Platform) -> Iterator[str]:
    """Say that pods have addresses of IPv6, where the nodes show that; without a look at them nothing is known of it."""
    if stated.get("ipv6_pods") or isinstance(platform.nodes, Unknown):
        return
    found = [
        one["address"]
        for node in platform.nodes
        for one in node.get("status", {}).get("addresses") or ()
        if one["type"] == "InternalIP"
    ]
    if found and all(":" in one for one in found):
        yield f"ipv6_pods: the nodes have addresses of IPv6 alone ({found[0]}), and so have pods; {REMEDY['ipv6_pods']}"


def _host(stated: Mapping[str, Any], platform: Platform) -> Iterator[str]:
    """Warn of a host without an address: some platforms name it only once they see the Ingress that an apply makes."""
    if "domain_name" in stated and platform.nameless:
        yield (
            f"domain_name: {platform.nameless}; an apply waits for it after the Ingress is there. If it is not published then, "
            "let DNS name the host, or give the address or the name of the ingress as ingress_address"
        )


def host(domain_name: str) -> str:
    """Return the name under which users reach a release."""
    return f"chroma.{domain_name}"


def _rights(platform: Platform) -> Iterator[str | Unknown]:
    if isinstance(platform.lacking, Unknown):
        yield f"kubeconfig: the cluster does not tell its user what it may do ({platform.lacking.why}); {_GRANT}"
    elif needed := [one for one in platform.lacking if not one.without]:
        yield f"kubeconfig: its user lacks rights {describe(needed)}; {_GRANT}"


def _conveniences(platform: Platform) -> Iterator[str]:
    """Warn of rights without which a run knows less, and goes on."""
    if isinstance(platform.lacking, Unknown):
        return
    for without in dict.fromkeys(one.without for one in platform.lacking if one.without):
        missing = describe(one for one in platform.lacking if one.without == without)
        yield f"kubeconfig: its user lacks rights {missing}; {without}"
