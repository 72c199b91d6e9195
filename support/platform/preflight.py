"""Looks at what a cluster has of what an inventory names, before anything is created there."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from support.core.parallel import in_parallel
from support.core.resolver import nameless
from support.core.restraint import restraint
from support.core.wait import Timeout
from support.kube.client import Kube
from support.kube.errors import ApiError
from support.kube.probe import is_there
from support.platform import rights
from support.platform.assessment import NOBODY_THERE, Assessment, Platform, Unknown, host, judge, unusable
from support.platform.certificate import Source
from support.platform.inventory import ROUTE
from support.platform.permissions import lacking
from support.platform.pull_secret import needed, stated_pull_secret
from support.platform.registry import holds_images_of, silence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.core.wait import Deadlines
    from support.platform.pull_secret import PullSecret

T = TypeVar("T")


def preflight(
    stated: Mapping[str, Any],
    provided: Mapping[str, Any],
    run_id: str,
    deadlines: Deadlines,
    asked: rights.Asked = rights.DEPLOY,
) -> Assessment:
    """Judge the values of an inventory that are right as such against the cluster of its kubeconfig.

    The user needs the rights for what is `asked` of the suite.

    `provided` are those that the maker of the cluster provides: its registry is filled, and no node need be asked.
    """
    kube = Kube(stated["kubeconfig"], stated.get("context"))
    try:
        platform = _look(kube, stated, provided, run_id, deadlines, asked)
    except ApiError as error:
        return unusable(error.status, error.message)
    return judge(stated, platform, datetime.now(UTC))


def _look(  # noqa: PLR0917 - what it takes
    kube: Kube,
    stated: Mapping[str, Any],
    provided: Mapping[str, Any],
    run_id: str,
    deadlines: Deadlines,
    asked: rights.Asked,
) -> Platform:
    looks: tuple[Callable[[], Any], ...] = (
        partial(_names, kube, "IngressClass"),
        partial(_names, kube, "StorageClass"),
        partial(_certificate, kube, stated),
        # A namespace that is nobody's.
        lambda: tuple(lacking(kube, rights.needed(asked, stated), f"chroma-{run_id}")),
        partial(_silence, kube, stated, provided, run_id, deadlines),
        partial(_nameless, stated),
        partial(_gateway, kube, stated),
        partial(_pull_secrets, kube, stated, asked),
        # What deploys nothing lets no gateway listen.
        lambda: kube.list("Node") if asked.mode == rights.DEPLOY.mode else (),
    )
    return Platform(*in_parallel([partial(_seen, look) for look in looks]))


def _seen(look: Callable[[], T]) -> T | Unknown:
    try:
        return look()
    except ApiError as error:
        if error.status in NOBODY_THERE:
            raise
        return Unknown(error.message)
    except Timeout as timeout:
        return Unknown(str(timeout))


def _names(kube: Kube, kind: str) -> frozenset[str]:
    return frozenset(obj["metadata"]["name"] for obj in kube.list(kind))


def _nameless(stated: Mapping[str, Any]) -> str:
    """Say why what leads to the release's host has no address here."""
    if "domain_name" not in stated:
        return ""
    return nameless(host(stated["domain_name"]), stated.get("ingress_address"))


def _gateway(kube: Kube, stated: Mapping[str, Any]) -> Any:
    if stated.get("exposure") != ROUTE or not {"gateway_name", "gateway_namespace"} <= stated.keys():
        return None
    return kube.get("Gateway", stated["gateway_name"], stated["gateway_namespace"])


def _pull_secrets(kube: Kube, stated: Mapping[str, Any], asked: rights.Asked) -> Mapping[PullSecret, Any]:
    source = stated_pull_secret(stated)
    if source is None:
        return {}
    vantage = None if asked.vantage == rights.NO_VANTAGE else asked.vantage
    # A namespace that is made for it gets a copy.
    if vantage and not is_there(kube, vantage):
        vantage = ""
    places = needed(source, deploys=asked.mode == rights.DEPLOY.mode, vantage=vantage)
    return {place: _seen(partial(place.found, kube)) for place in places}


def _certificate(kube: Kube, stated: Mapping[str, Any]) -> Any:
    if not {"domain_name", "certificate_namespace"} <= stated.keys():
        return None
    source = Source.of(stated["domain_name"], stated["certificate_namespace"])
    return kube.get("Secret", source.secret, source.namespace)


def _silence(
    kube: Kube, stated: Mapping[str, Any], provided: Mapping[str, Any], run_id: str, deadlines: Deadlines
) -> str:
    named = {"harbor_registry", "library_project", "certificate_namespace"}
    # To ask for it a pod is made; who deploys nothing pulls no image of a release either.
    if not restraint().changes:
        return ""
    if not named <= stated.keys() or stated["harbor_registry"] == provided.get("harbor_registry"):
        return ""
    nodes = _seen(partial(kube.list, "Node"))
    if not isinstance(nodes, Unknown) and holds_images_of(nodes, stated["harbor_registry"]):
        return ""
    repository = f"{stated['harbor_registry']}/{stated['library_project']}"
    # In the namespace that is sure to be there; one of its own would take five seconds to go.
    return silence(kube, repository, stated["certificate_namespace"], run_id, deadlines) or ""
