"""Inventories with a mistake in them, and what the check has to say of each."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import yaml
from trustme import CA

from support.checks.certificate.authority import FUTURE, NOW, PAST, Span, issue
from support.core.promises import PromiseBroken
from support.core.wait import wait_for
from support.kube import probe
from support.kube.errors import ApiError
from support.kube.labels import ownership
from support.platform.certificate import Source, Tls
from support.platform.inventory import INGRESS, Inventory, InventoryError
from support.platform.preflight import preflight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from support.core.wait import Deadlines
    from support.kube.client import Kube
    from support.kube.objects import Object
    from support.platform.assessment import Assessment

# A domain that nobody can have, for which a scenario makes up certificates.
_DOMAIN: Final = "inventory.invalid"
# Of an address for documentation (RFC 5737): a check asks nobody there.
_ADDRESS: Final = "192.0.2.1"


@dataclass(frozen=True)
class InventoryFactory:
    """Where inventories are made up: a namespace that stands for the platform's, by whose `kube` it is filled, and a directory."""

    kube: Kube
    inventory: Inventory
    namespace: str
    run_id: str
    directory: Path
    deadlines: Deadlines

    def certificate(self, tls: Tls) -> dict[str, Any]:
        """Keep a certificate as the platform's; return the values of an inventory that lead to it."""
        self.kube.apply(probe.namespace(self.namespace, self.run_id))
        source = Source.of(_DOMAIN, self.namespace)
        self.kube.apply(secret_of(tls, source))
        return {
            "domain_name": _DOMAIN,
            "certificate_namespace": self.namespace,
            "ingress_address": _ADDRESS,
        }

    def kubeconfig(self, **changes: Mapping[str, Any]) -> dict[str, Any]:
        """Write a kubeconfig whose "cluster" or "user" is another; return the values that lead to it."""
        config = yaml.safe_load(self.inventory.kubeconfig.read_text(encoding="utf-8"))
        context = self.inventory.context or config["current-context"]
        named = next(one for one in config["contexts"] if one["name"] == context)["context"]
        for part, change in changes.items():
            of_context = next(one for one in config[f"{part}s"] if one["name"] == named[part])
            of_context[part] = {**of_context[part], **change} if part == "cluster" else change
        file = self.directory / "kubeconfig"
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        return {"kubeconfig": file, "context": context}


@dataclass(frozen=True)
class InventoryDraft:
    """An inventory as somebody wrote it, before it is checked; `run_id` is on whatever its check makes."""

    given: Mapping[str, Any]
    password: str = field(repr=False)
    run_id: str = field(default_factory=lambda: secrets.token_hex(4))

    def but(self, **values: Any) -> InventoryDraft:
        """Return the same with other values; None takes one away."""
        # A Gateway takes the hosts of its own domain alone, and would be a second mistake.
        if "domain_name" in values and self.given.get("primary_ingress_class"):
            values = {"exposure": INGRESS, **values}
        given = {name: value for name, value in {**self.given, **values}.items() if value is not None}
        return replace(self, given=given)

    def check(self, deadlines: Deadlines) -> Assessment:
        """Check it as such and against its cluster, as the beginning of a run does."""
        judged: list[Assessment] = []

        def check(stated: Mapping[str, Any]) -> Iterable[str]:
            judged.append(preflight(stated, {}, self.run_id, deadlines))
            return judged[0].problems

        try:
            Inventory.load(None, self.given, {"ADMIN_PASSWORD": self.password}, check)
        except InventoryError as error:
            return replace(judged[0], problems=error.problems)
        return judged[0]


@dataclass(frozen=True)
class InvalidInventory:
    """A mistake: how to make it, and of each line that must be said of it the beginning and what it must hold."""

    make: Callable[[InventoryFactory, InventoryDraft], InventoryDraft]
    lines: tuple[tuple[str, ...], ...]


def valid(inventory_factory: InventoryFactory) -> InventoryDraft:
    """Return the inventory of the run, in which nothing is wrong."""
    values = inventory_factory.inventory.model_dump(exclude={"admin_password"})
    return InventoryDraft(values, inventory_factory.inventory.admin_password.get_secret_value())


def unnamed(inventory_factory: InventoryFactory, address: str | None) -> InventoryDraft:
    """Return an inventory whose domain has its certificate, and whose hosts have no address yet."""
    return _certificate(f"*.{_DOMAIN}", NOW)(inventory_factory, valid(inventory_factory)).but(
        ingress_address=address
    )


def spoiled(
    inventory_factory: InventoryFactory, invalid_inventories: Iterable[InvalidInventory]
) -> InventoryDraft:
    """Return the inventory of the run with some mistakes in it."""
    draft = valid(inventory_factory)
    for invalid in invalid_inventories:
        draft = invalid.make(inventory_factory, draft)
    return draft


def assert_problems(invalid_inventories: Iterable[InvalidInventory], assessment: Assessment) -> None:
    """Assert that every mistake is reported, with its remedy, and nothing else."""
    promised = [line for invalid in invalid_inventories for line in invalid.lines]
    for beginning, *rest in promised:
        found = [line for line in assessment.problems if line.startswith(beginning)]
        assert found, _compared(f"a complaint that begins with {beginning!r}", assessment.problems)
        assert all(phrase in found[0] for phrase in rest), _compared(f"a line with {rest}", found)
    assert len(assessment.problems) == len(promised), _compared(
        f"{len(promised)} complaints, a line each", assessment.problems
    )


def assert_said_to_be_unknown(assessment: Assessment, *names: str) -> None:
    """Assert that of these values it is said that they could not be judged, and why."""
    for name in names:
        said = [line for line in assessment.unknown if line.startswith(f"{name}: whether")]
        assert said, _compared(f"that {name} could not be looked at, and why", assessment.unknown)


def assert_warned_of(assessment: Assessment, draft: InventoryDraft) -> None:
    """Assert that it is warned, and no more than that, of a host that has no address yet."""
    name = draft.given.get("ingress_address") or f"chroma.{_DOMAIN}"
    promised = f"domain_name: {name} has no address here"
    assert [line[: len(promised)] for line in assessment.warned] == [promised], _compared(
        f"one warning: {promised}", assessment.warned
    )


def assert_nothing_made(kube: Kube, draft: InventoryDraft) -> None:
    """Assert that the check of an inventory has left nothing behind."""
    labels = ownership(draft.run_id)
    made = [obj for kind in ("Namespace", "Pod") for obj in kube.list(kind, labels=labels)]
    left = [f"{obj['kind']} {obj['metadata']['name']}" for obj in made]
    if left:
        raise PromiseBroken("nothing is created", ", ".join(left))


def secret_of(tls: Tls, source: Source) -> Object:
    """Return the Secret in which a platform keeps its certificate; it is the platform's, and carries no label of ours."""
    parts = {"tls.crt": tls.certificate, "tls.key": tls.key}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": source.secret, "namespace": source.namespace},
        "data": {name: base64.b64encode(value).decode() for name, value in parts.items()},
    }


def _compared(promised: str, seen: Iterable[str]) -> str:
    return f"promised: {promised}\nseen:     " + ("\n          ".join(seen) or "nothing")


def _stating(**values: Any) -> Callable[[InventoryFactory, InventoryDraft], InventoryDraft]:
    return lambda _, draft: draft.but(**values)


def _empty_password(_: InventoryFactory, draft: InventoryDraft) -> InventoryDraft:
    return replace(draft, password="")


def _certificate(host: str, span: Span) -> Callable[[InventoryFactory, InventoryDraft], InventoryDraft]:
    def make(inventory_factory: InventoryFactory, draft: InventoryDraft) -> InventoryDraft:
        return draft.but(**inventory_factory.certificate(issue(CA(), host, span)))

    return make


def _anothers_key(inventory_factory: InventoryFactory, draft: InventoryDraft) -> InventoryDraft:
    ours, anothers = [issue(CA(), f"*.{_DOMAIN}") for _ in range(2)]
    return draft.but(**inventory_factory.certificate(Tls(ours.certificate, anothers.key)))


def _silent_cluster(inventory_factory: InventoryFactory, draft: InventoryDraft) -> InventoryDraft:
    # Nobody listens on port 1.
    return draft.but(**inventory_factory.kubeconfig(cluster={"server": "https://127.0.0.1:1"}))


def _powerless_user(inventory_factory: InventoryFactory, draft: InventoryDraft) -> InventoryDraft:
    """Let the inventory's user be one that every namespace has, and that may do nothing."""
    inventory_factory.kube.apply(probe.namespace(inventory_factory.namespace, inventory_factory.run_id))
    token = wait_for(
        partial(inventory_factory.kube.token, inventory_factory.namespace, "default"),
        inventory_factory.deadlines.namespace,
        lambda: f"namespace {inventory_factory.namespace} has no service account",
        (ApiError,),
    )
    return draft.but(**inventory_factory.kubeconfig(user={"token": token}))


_GRANT: Final = "let an administrator grant what `pytest --rights MODE` prints"
_ISSUE: Final = "let the platform issue it"

INVALID_INVENTORIES: Final[Mapping[str, InvalidInventory]] = {
    "no domain": InvalidInventory(
        _stating(domain_name=None),
        (("domain_name: missing", "give the platform's domain, such as example.com"),),
    ),
    "no administrator": InvalidInventory(
        _stating(admin_username=None), (("admin_username: missing", "give the platform's administrator"),)
    ),
    "an empty password": InvalidInventory(
        _empty_password, (("ADMIN_PASSWORD: is empty", "export ADMIN_PASSWORD with at least 16"),)
    ),
    "an ingress class that the cluster does not have": InvalidInventory(
        _stating(primary_ingress_class="no-such-class"),
        (("primary_ingress_class: the cluster has no no-such-class, but ", "kubectl get ingressclass"),),
    ),
    "a storage class that the cluster does not have": InvalidInventory(
        _stating(storage_class_name="no-such-class"),
        (("storage_class_name: the cluster has no no-such-class, but ", "kubectl get storageclass"),),
    ),
    "a domain without a certificate": InvalidInventory(
        _stating(domain_name="nobody.invalid", ingress_address=_ADDRESS),
        (("domain_name: Secret default/nobody-invalid-tls is missing", _ISSUE),),
    ),
    "a certificate that has expired": InvalidInventory(
        _certificate(f"*.{_DOMAIN}", PAST),
        (("domain_name: the certificate in Secret ", "expired on ", _ISSUE),),
    ),
    "a certificate that is not valid yet": InvalidInventory(
        _certificate(f"*.{_DOMAIN}", FUTURE),
        (("domain_name: the certificate in Secret ", "is not valid before ", _ISSUE),),
    ),
    "a certificate for other hosts": InvalidInventory(
        _certificate("*.elsewhere.invalid", NOW),
        (
            (
                "domain_name: the certificate in Secret ",
                f"does not cover *.{_DOMAIN}, but *.elsewhere.invalid",
            ),
        ),
    ),
    "a certificate with the key of another certificate": InvalidInventory(
        _anothers_key,
        (("domain_name: the certificate in Secret ", "is not of the key beside it", _ISSUE),),
    ),
    "a registry that no node reaches": InvalidInventory(
        _stating(harbor_registry="registry.invalid"),
        (("harbor_registry: the nodes do not reach registry.invalid", "give host[:port] of the registry"),),
    ),
    "a cluster that does not answer": InvalidInventory(
        _silent_cluster, (("kubeconfig: its cluster does not answer", "start it"),)
    ),
    "a user without permissions": InvalidInventory(
        _powerless_user,
        (
            ("domain_name: Secret default/", _GRANT),
            (
                "kubeconfig: its user lacks rights in all namespaces: get, list, create, patch, delete of namespaces",
                _GRANT,
            ),
        ),
    ),
}

# Those of which none hides another.
TOGETHER: Final = (
    "no administrator",
    "an empty password",
    "an ingress class that the cluster does not have",
    "a storage class that the cluster does not have",
    "a certificate that has expired",
    "a registry that no node reaches",
)
