"""What all processes of one run share: its id, its options, its secrets, and what it learns on its way."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from apiserver import in_cluster
from support.core.component import AUTH_KEY, AUTH_SECRET
from support.core.redaction import Redactor
from support.core.resolver import map_host
from support.core.restraint import restraint
from support.core.wait import Deadlines, keep, kept
from support.deploy import last_live
from support.diagnosis.afterwards import at_an_address
from support.diagnosis.inquiry import look_into
from support.diagnosis.troubles import diagnose
from support.kube.client import Kube
from support.kube.errors import ApiError
from support.kube.secrets import decoded
from support.kube.silence import silence
from support.platform import rights
from support.platform.inventory import INGRESS, Inventory, InventoryError, exposure_of
from support.release.catalogue import load, shares_fate
from support.release.place import Place, misplaced, unheard
from support.release.release import USUAL
from support.reporting.scenario import DEPLOYING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from support.core.symptoms import Symptom
    from support.diagnosis.findings import Finding
    from support.platform.assessment import Assessment
    from support.platform.inventory import Check
    from support.release.faults import Fault
    from support.release.release import Release
    from support.reporting.conformance import Conditions
    from support.reporting.evidence import EvidenceRecorder, View
    from support.session.address import Address
    from support.session.clusters import Access
    from support.session.options import Options

# The fact that a release was found open; with it no run ends well.
INSECURE: Final = "insecure"
# The fact that the cluster fell silent; it ends the run.
SILENT: Final = "silent"


@dataclass
class Run:
    """One run; every process of it holds one of these, and the controlling process hands its own to the workers."""

    options: Options
    worker: str = ""  # empty outside of xdist
    # Short enough for the names of objects, long enough that two runs on a cluster do not meet.
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    # Under it Hypothesis picks the same values again.
    seed: str = ""
    password: str = field(default_factory=lambda: os.environ.get("ADMIN_PASSWORD", ""))
    redactor: Redactor = field(default_factory=Redactor)
    # The namespaces in use, and the cluster they are on: there the evidence of a failure is taken.
    sites: dict[str, Kube] = field(default_factory=dict)
    # What else is seen where something fails, by its name: of what something else deployed.
    sights: dict[str, Callable[[], View]] = field(default_factory=dict)
    # What is found out about the cluster and the release, for the report.
    facts: dict[str, str] = field(default_factory=dict)
    # What was measured on the way, for the report; no verdict hangs on it.
    measured: dict[str, str] = field(default_factory=dict)
    # How to use the releases that stay.
    notes: list[str] = field(default_factory=list)
    # Whether scenarios used the release of the run's own namespace, so that it is there to be rolled back.
    used: bool = False
    # The release that lives, as its record states it, where the run verifies that instead of deploying one.
    verified: dict[str, Any] | None = None
    # What its workers did on the cluster and to the release, and what they made there.
    deeds: Counter[str] = field(default_factory=Counter)
    made: dict[str, bool | None] = field(default_factory=dict)
    # The scenarios of each shard, where the run is one of several: of each the node id, the place and the name.
    shares: list[list[list[str]]] = field(default_factory=list)
    # What the run leaves on the cluster, a line each with the command that removes it.
    left: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.seed = self.seed or self.options.seed or str(secrets.randbelow(2**32))
        if not self.password and self.options.provider == "embedded":
            self.password = secrets.token_urlsafe(24)
        self.redactor.learn(self.password)
        keep(Deadlines().scaled(self.options.patience))

    @cached_property
    def evidence_recorder(self) -> EvidenceRecorder:
        """What takes the evidence of a failure."""
        from support.reporting.evidence import EvidenceRecorder  # noqa: PLC0415 - no command fails with evidence

        return EvidenceRecorder()

    @cached_property
    def release(self) -> Release:
        """The release under test; raises `ReleaseError`. Where one is verified, it is known once the run is on the cluster."""
        if self.options.verify:
            assert self.verified, "what lives on the cluster is asked for before the run is there"
            return last_live.release_of(self.verified)
        return load(self.options.release or USUAL, self.options.changes)

    @property
    def base_name(self) -> str:
        """The name of the namespace of the live release, and of its host.

        On a cluster of its own each worker has one, and they do not meet; elsewhere one is meant, which all share.
        """
        own = self.worker and self.options.provider == "embedded"
        name = f"{self.options.namespace}-{self.worker}" if own else self.options.namespace
        # Shards that deploy would change each other's release; those that only look share the one that lives.
        shard = self.options.shard if DEPLOYING in self.options.permitted else None
        return f"{name}-s{shard.number}" if shard and self.options.provider == "external" else name

    @property
    def throw_away_prefix(self) -> str:
        """How the names of throw-away namespaces of this process begin."""
        return "-".join(filter(None, (self.options.namespace, self.worker, self.id))) + "-"

    @property
    def rights_mode(self) -> str:
        """What the run may do, by the name of its rights (manifests/suite/)."""
        return self.options.mode.removeprefix("--") or rights.DEPLOY.mode

    @contextmanager
    def using(self, access: Access) -> Iterator[Inventory]:
        """Lend what the platform gives; its hosts have their addresses in this process alone."""
        inventory = self.inventory(access)
        self.redactor.learn(inventory.admin_password)
        address = inventory.ingress_address
        with map_host(f"*.{inventory.domain_name}", address) if address else nullcontext():
            yield inventory

    def meet(self, address: Address) -> None:
        """Take note of the address that the run is about: what is there, and the token that must not be shown."""
        self.redactor.learn(address.endpoint.credential.token.get_secret_value())
        self.facts["chroma"] = address.endpoint.told_version

    @property
    def conditions(self) -> Conditions:
        """What the report says of how the run was asked for."""
        from support.reporting.conformance import Conditions  # noqa: PLC0415 - no command has a report

        options = self.options
        return Conditions(
            run_id=self.id,
            release="" if options.verify else self.release.name,
            changes=options.changes,
            fault=options.fault,
            provider=options.provider,
            patience=options.patience,
            profile=options.profile,
            seed=self.seed,
            accept_insecure=options.accept_insecure,
            required=options.require,
            mode=options.mode,
            conceded=options.without,
            endpoint=options.endpoint,
            target=str(options.target) if options.target else None,
        )

    @property
    def deadlines(self) -> Deadlines:
        """How long each thing may take."""
        return kept()

    @property
    def exposure(self) -> str:
        """How the platform exposes hosts, as it is stated before there is a cluster; a fault may be for one way alone."""
        return exposure_of(self.options.inventory, os.environ, self._usual_exposure)

    @property
    def _usual_exposure(self) -> str:
        return self.fault.exposure if self.fault else INGRESS

    def inventory(self, access: Access, check: Check = lambda _: ()) -> Inventory:
        """Load the inventory for a cluster; raises `InventoryError`, which names everything missing or wrong."""
        given = {"kubeconfig": access.kubeconfig, "context": access.context, **access.inventory}
        if self.options.verify and not self.password:
            self.password = self._recorded_token(access)
            self.redactor.learn(self.password)
        return self._load(given, check)

    def _recorded_token(self, access: Access) -> str:
        """Return the token that the release shows to those who may read its Secret; "" where we may not.

        Raises `InventoryError` where there is no such Secret.
        """
        try:
            secret = Kube(access.kubeconfig, access.context).get("Secret", AUTH_SECRET, self.base_name)
        except ApiError:  # whatever is wrong with the cluster is said where it is examined
            return ""
        if secret is None:
            missing = (
                f"ADMIN_PASSWORD: missing, and namespace {self.base_name} has no Secret {AUTH_SECRET} to take it from: no release "
                "lives there; name its namespace with --namespace, or deploy it with --apply"
            )
            raise InventoryError([missing])
        return decoded(secret).get(AUTH_KEY, "")

    def examine(
        self, access: Access, preflight: Callable[..., Assessment], progress: Callable[[str], None]
    ) -> None:
        """Check the inventory as such and, by a `preflight`, against its cluster; `progress` what could not be looked at.

        Raises `InventoryError`, which names everything missing or wrong.
        """

        def check(stated: Mapping[str, Any]) -> Iterable[str]:
            asked = rights.Asked(
                self.rights_mode,
                self.options.namespace,
                self.options.vantage_namespace or "",
                in_cluster.home() if self.options.report_configmap else "",
            )
            assessment = preflight(stated, access.inventory, self.id, self.deadlines, asked)
            for line in (*assessment.warned, *(f"not known of {line}" for line in assessment.unknown)):
                progress(line)
            unfit = [] if self.options.verify else unheard(self.release, stated)
            return (*assessment.problems, *misplaced(self.options.host, stated), *unfit)

        self.inventory(access, check)

    def place(self, kube: Kube, inventory: Inventory) -> Place:
        """Return where the release under test lives: its host stays what it is, unless the options name another."""
        name = self.base_name
        host = (self.options.host if name == self.options.namespace else None) or last_live.host(kube, name)
        return Place(name, host or f"{name}.{inventory.domain_name}", announced=True)

    def out_of_reach(self, error: Exception) -> str:
        """Say that there is no cluster, with what is wrong with the inventory besides, where a user wrote one."""
        if self.options.provider == "embedded":
            return str(error)
        try:
            self._load({"kubeconfig": self.options.kubeconfig, "context": self.options.context}, lambda _: ())
        except InventoryError as besides:
            return str(InventoryError([f"kubeconfig: {error}", *besides.problems]))
        return str(error)

    def _load(self, given: Mapping[str, Any], check: Check) -> Inventory:
        environ = {**os.environ, "ADMIN_PASSWORD": self.password} if self.password else os.environ
        exposed = {"exposure": self._usual_exposure, **given}
        return Inventory.load(self.options.inventory, exposed, environ, check)

    def fault_of(self, release: Release) -> Fault | None:
        """Return the fault that a release is spoiled by; it touches the release under test alone, and what differs from it."""
        return self.fault if self.options.fault and shares_fate(release.name, self.release.name) else None

    def accept_insecure(self, release: Release) -> Callable[[str], None] | None:
        """Return what notes that a release is insecure, where that is accepted; None where it is refused.

        A fault spoils a release on purpose: there a scenario has to notice.
        """
        return self._note_insecure if self.options.accept_insecure or self.fault_of(release) else None

    @cached_property
    def fault(self) -> Fault | None:
        """What spoils the release under test, None where nothing does; raises `FaultError`."""
        if not self.options.fault:
            return None
        from support.release.faults import Fault  # noqa: PLC0415 - it renders, which few commands need

        return Fault.load(self.options.fault)

    def _note_insecure(self, answer: str) -> None:
        self.facts[INSECURE] = answer

    @contextmanager
    def watching(self, kube: Kube, namespace: str) -> Iterator[None]:
        """Take evidence from a namespace, too, when something fails within the `with` block."""
        self.sites[namespace] = kube
        try:
            yield
        finally:
            del self.sites[namespace]

    def views(self) -> dict[str, View]:
        """Look at every namespace in use, and return that with what was seen of refused releases."""
        return {
            **self.evidence_recorder.views,
            **{name: self.evidence_recorder.look(kube, name) for name, kube in self.sites.items()},
            **{name: look() for name, look in self.sights.items()},
        }

    def silence(self, error: ApiError) -> str:
        """Say that the cluster does not answer any more, "" where it does; asked in one of the namespaces in use."""
        kube = next(iter(self.sites.values()), None)
        return silence(kube, error) if kube else ""

    def look_into(self, seen: Symptom) -> Finding | None:
        """Return what troubles somebody who saw this, by what is there in the namespaces in use; never raises."""
        if self.options.endpoint or self.options.target:  # the remedies for a release name its objects
            return at_an_address(diagnose(seen))
        for name, kube in self.sites.items():
            try:
                found = look_into(kube, name, seen)
            except ApiError:
                continue
            if found and not found.is_silence:
                return found
        return diagnose(seen)

    def handed(self) -> dict[str, Any]:
        """Return what a worker has to know; it goes through a pipe, never through argv or the environment."""
        return {"id": self.id, "seed": self.seed, "password": self.password, "verified": self.verified}

    def findings(self) -> dict[str, Any]:
        """Return what a worker has found out; it goes through a pipe to the controlling process."""
        return {
            "facts": self.facts,
            "measured": self.measured,
            "notes": self.notes,
            "left": self.left,
            "used": self.used,
            "deeds": dict(restraint().tally),
            "made": restraint().made,
            "shares": self.shares,
        }

    def hear(self, findings: Mapping[str, Any]) -> None:
        """Take note of what a worker has found out; one that died tells nothing."""
        self.facts.update(findings.get("facts", {}))
        self.measured.update(findings.get("measured", {}))
        self.notes.extend(findings.get("notes", []))
        self.left.extend(findings.get("left", []))
        self.deeds.update(findings.get("deeds", {}))
        self.made.update(findings.get("made", {}))
        self.used = self.used or bool(findings.get("used"))
        self.shares = self.shares or findings.get("shares", [])
