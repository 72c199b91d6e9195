"""What every act on a namespace stands on: the cluster, the platform, the place, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.core.resolver import nameless
from support.deploy import keeping, last_live
from support.deploy.custody import Custody
from support.deploy.live import Live
from support.deploy.liveness import HealthCheck
from support.deploy.rollout import RolloutMonitor
from support.diagnosis.findings import Cause, Finding
from support.kube.errors import ApiError
from support.kube.exposure import KINDS, doors, hosts, parents
from support.platform.gateway import Guest, flaws

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from support.core.wait import Deadlines
    from support.deploy.liveness import Expectation
    from support.kube.client import Kube
    from support.kube.exposure import Parent
    from support.kube.objects import Object, Objects
    from support.kube.watch import Watch
    from support.platform.gateway import Flaw
    from support.platform.inventory import Inventory
    from support.release.place import Place
    from support.release.release import Release


@dataclass(frozen=True)
class Site:
    """One namespace on a cluster; `place` says which, and the host name that leads to it.

    `progress` is given one line for each change, but for the usual stages of a rollout, which go to `stages` unless that is
    None. `accept_insecure` returns, where the operator accepts that a release is
    insecure, a function that takes a note of it.
    """

    kube: Kube = field(repr=False)
    inventory: Inventory = field(repr=False)
    place: Place
    deadlines: Deadlines
    progress: Callable[[str], None] = field(repr=False)
    accept_insecure: Callable[[Release], Callable[[str], None] | None] = field(
        default=lambda _release: None, repr=False
    )
    stages: Callable[[str], None] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The name of the namespace."""
        return self.place.namespace

    def live(self, release: Release, objects: Objects, token: SecretStr | None = None) -> Live:
        """Return a release as it lives here, or would; without a `token` under that of the inventory."""
        shown = token or self.inventory.admin_password
        return Live(self.kube, self.inventory, self.place, release, objects, shown)

    def recall(self) -> Live | None:
        """Return the release that was live here last, whether it lives or not; None when there is none."""
        recalled = last_live.recall(self.kube, self.name)
        return self.live(*recalled) if recalled else None

    def monitor(self, watch: Watch, *, named: bool = False) -> RolloutMonitor:
        """Return what looks how a rollout goes here; see there."""
        return RolloutMonitor(
            watch,
            self.deadlines,
            self.progress,
            self.stages,
            named=named,
            building=lambda: keeping.seen(self.kube, self.name).building,
        )

    def custody(self, former: Live | None) -> Custody:
        """Return what takes care of the data here through an act, after the release that was live last."""
        return Custody(self.kube, self.name, former.objects if former else [], self.progress)

    def health_check(self, of: Live | None = None, expected: Expectation | None = None) -> HealthCheck:
        """Return what looks whether a release here lives, and holds what is `expected`; a context manager.

        It shows the token that the release was deployed with, or without a release that of the inventory.
        """
        token = of.token if of else self.inventory.admin_password
        accept_insecure = self.accept_insecure(of.release) if of else None
        return HealthCheck(self.place.host, self.inventory, token, self.deadlines, accept_insecure, expected)

    def unexposed(self, objects: Objects) -> Finding | None:
        """Return why some objects would not lead their host here; None where nothing is known to be in the way."""
        return self._host_taken(objects) or self._unaccepted(objects)

    def _host_taken(self, objects: Objects) -> Finding | None:
        """Return that an Ingress or a route of another namespace has a host of some objects; None also where we may not look.

        A controller leads such a host to either, so that nothing that is seen through it is proved of one.
        """
        wanted = {(host, obj["kind"], door) for obj in objects for host, door in _ways(obj)}
        hosts_wanted, kinds = {host for host, _, _ in wanted}, {kind for _, kind, _ in wanted}
        others = [
            obj
            for kind in (KINDS if wanted else ())
            for obj in self._listed(kind)
            if obj["metadata"]["namespace"] != self.name
        ]
        taken = [
            f"{host} is the host of {obj['kind']} {obj['metadata']['namespace']}/{obj['metadata']['name']}"
            for obj in others
            for host, door in _ways(obj)
            # Two classes of Ingress are two doors; whether an Ingress and a route are, nobody here knows.
            if host in hosts_wanted and (obj["kind"] not in kinds or (host, obj["kind"], door) in wanted)
        ]
        return Finding(Cause.HOST_TAKEN, "; ".join(sorted(set(taken)))) if taken else None

    def _listed(self, kind: str) -> Objects:
        """Return all objects of a kind; none where the cluster has no such kind, or we may not look."""
        try:
            return self.kube.list(kind)
        except ApiError as error:
            if error.unanswered:
                raise
            return []

    def _unaccepted(self, objects: Objects) -> Finding | None:
        """Return that a Gateway would not take a route among some objects; None also where we may not look."""
        routes = [obj for obj in objects if obj["kind"] == "HTTPRoute"]
        labels = self._labels(objects) if routes else {}
        found = {
            flaw.why: None
            for route in routes
            for parent in parents(route)
            for flaw in self._flaws(parent, Guest(self.name, labels, tuple(hosts(route))))
        }
        return Finding(Cause.ROUTE, "; ".join(found)) if found else None

    def _flaws(self, parent: Parent, guest: Guest) -> list[Flaw]:
        try:
            return list(flaws(self.kube.get("Gateway", parent.name, parent.namespace), parent, guest))
        except ApiError as error:
            if error.unanswered:
                raise
            return []

    def _labels(self, objects: Objects) -> dict[str, str]:
        """Return the labels that the namespace has once some objects are applied; Kubernetes gives it one of its own."""
        there = self.kube.get("Namespace", self.name) or {}
        stated = next((obj for obj in objects if obj["kind"] == "Namespace"), {})
        own = {"kubernetes.io/metadata.name": self.name}
        return {**own, **_labels_of(there), **_labels_of(stated)}

    def nameless(self) -> Finding | None:
        """Return that the host has no address, so that nothing could be proved here; None where it has one."""
        why = nameless(self.place.host, self.inventory.ingress_address)
        return Finding(Cause.NAMELESS, why) if why else None


def _labels_of(obj: Object) -> dict[str, str]:
    return obj.get("metadata", {}).get("labels") or {}


def _ways(obj: Object) -> set[tuple[str, str]]:
    """Return each host that an object exposes, and through what."""
    return {(host, door) for host in hosts(obj) for door in doors(obj)}
