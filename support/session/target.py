"""A run that is about what something else deployed on a cluster: found as its file describes it, and left as it is."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from apiserver.in_cluster import home
from support.chroma.endpoint import Given, find
from support.core.component import HEARTBEAT
from support.deploy.remains import Remains
from support.deploy.results import NotLive
from support.deploy.sweep import sweep_databases, sweep_vantages
from support.kube.client import Kube
from support.kube.errors import ApiError
from support.kube.silence import silence
from support.network import http
from support.network.tunnel import NoWay
from support.network.vantage import Vantage
from support.platform.inventory import values_of
from support.platform.permissions import describe, lacking
from support.platform.rights import NO_VANTAGE
from support.reporting.conformance import version_of
from support.reporting.scenario import KUBERNETES, VANTAGE, WRITING
from support.session.address import Address
from support.session.verification import (
    CHANGED,
    announced,
    bounds,
    differing,
    forbidden,
    home_of_vantage,
    place_of_vantage,
)
from support.target.deployed import Deployed
from support.target.description import FIND_OUT, Description, TargetError, read
from support.target.examination import contradiction, examine, tenancy_of
from support.target.rights import needed
from support.target.ways import TargetRoutes, at_service, at_url, in_cluster, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from support.chroma.endpoint import Endpoint
    from support.chroma.reachable import Credential
    from support.network.way import Way
    from support.reporting.scenario import Scenario
    from support.session.clusters import Access
    from support.session.run import Run

# The fact that names the deployment which was tried.
DEPLOYED: Final = "deployed"
_UNSEEN: Final = "no vantage_image is given, from which it would be seen inside the cluster"


@dataclass(frozen=True, kw_only=True)
class Target(Address):
    """What a run has that is about what something else deployed, where others have a cluster of their own.

    `kubeconfig` and `context` name its cluster. `vantage` is the pod inside it that was needed to find it, if any.
    """

    deployed: Deployed
    kubeconfig: Path
    context: str
    vantage: Vantage | None = None

    @property
    def name(self) -> str:
        """The deployment."""
        return str(self.deployed)

    def lacks(self, capability: str) -> str:
        """Say why a scenario that needs this does not run."""
        if capability == VANTAGE:
            return "it goes by a way inside the cluster, and " + (
                f"--vantage-namespace {NO_VANTAGE} rules out a pod there"
                if self.deployed.stated.vantage_image
                else _UNSEEN
            )
        if capability == KUBERNETES:
            return "it is about what this suite deploys, and the target was deployed by something else"
        return f"it needs {capability}, of which nothing is known at a target"

    def live(self, vantage: Callable[[], Vantage]) -> Endpoint:
        """Return it as its users reach it, by a `vantage` where no url leads to it; raises `NotLive`."""
        if why := self.deployed.standstill():
            raise NotLive(why)
        if self.deployed.stated.url:
            return self.endpoint
        return replace(self.endpoint, way=at_service(self.deployed, vantage()))

    def routes(self, users: Way, vantage: Callable[[], Vantage]) -> TargetRoutes:
        """Return the ways in that callers may take, of which that of the `users` is one."""
        return TargetRoutes(self.deployed, users, vantage() if VANTAGE in self.capabilities else None)

    @contextmanager
    def watched(self, run: Run) -> Iterator[None]:
        """Let its url lead to it in this process, and take evidence of its pods when something fails."""
        it, where = self.deployed, self.deployed.stated.namespace
        run.sights[where] = partial(run.evidence_recorder.look_at_pods, it.kube, where, it.pods)
        with named(it):
            yield

    @contextmanager
    def seen_from(self, run: Run) -> Iterator[Vantage]:
        """Own the pod from which it is seen inside its cluster."""
        image = self.deployed.stated.vantage_image
        assert image, "without one nothing is asked for that needs it"
        if self.vantage:
            yield self.vantage
            return
        with _vantage(self.deployed, image, run) as vantage:
            yield vantage

    def handed(self) -> dict[str, Any]:
        """Return what a worker has to know of it, as JSON holds it; it goes through a pipe."""
        mine = {
            "stated": json.loads(self.deployed.stated.model_dump_json(exclude_defaults=True)),
            "kubeconfig": str(self.kubeconfig),
            "context": self.context,
            "capabilities": sorted(self.capabilities),
        }
        return {"target": {**mine, **super().handed()}}

    @classmethod
    def read(cls, handed: Mapping[str, Any]) -> Target:
        """Return what `handed` has written, from its JSON."""
        kubeconfig, context = Path(handed["kubeconfig"]), handed["context"]
        deployed = Deployed(Kube(kubeconfig, context), Description.model_validate(handed["stated"]))
        way = at_url(deployed) if deployed.stated.url else in_cluster(deployed)
        endpoint = replace(Address.read(handed["address"]).endpoint, way=way)
        has = frozenset(handed["capabilities"])
        return cls(endpoint, has, deployed=deployed, kubeconfig=kubeconfig, context=context)


def approach(
    run: Run, access: Access, scenarios: Sequence[Scenario], say: Callable[[str], None]
) -> tuple[Target, ExitStack]:
    """Return what the file of the options describes, and what ends the run there; `say` takes lines that stay.

    Raises `TargetError` or `EndpointError` where it cannot be used, `NotLive` where it does not live.
    """
    file = run.options.target
    assert file, "no target is named"
    stated = read(file, values_of(run.options.inventory, os.environ))
    if not (stated.url or stated.vantage_image):
        raise TargetError(
            file, ["url: missing; give one, or a vantage_image from which its Service is reached"]
        )
    if not stated.url and run.options.vantage_namespace == NO_VANTAGE:
        raise TargetError(file, [f"url: missing; give one, or leave out --vantage-namespace {NO_VANTAGE}"])
    deployed = Deployed(Kube(access.kubeconfig, access.context), stated)
    try:
        with ExitStack() as stack:
            target = _Approach(run, file, deployed, say).target(access, scenarios, stack)
            return target, stack.pop_all()
    except (ApiError, NoWay, http.NoResponse, LookupError) as error:
        quiet = silence(deployed.kube, error) if isinstance(error, ApiError) else ""
        raise TargetError(file, [quiet or f"{deployed} cannot be seen: {error}"]) from error


@dataclass
class _Approach:
    run: Run
    file: Path
    deployed: Deployed
    say: Callable[[str], None]

    def target(self, access: Access, scenarios: Sequence[Scenario], stack: ExitStack) -> Target:
        run, stated, deployed = self.run, self.deployed.stated, self.deployed
        seen = bool(stated.vantage_image) and run.options.vantage_namespace != NO_VANTAGE
        place = (home_of_vantage(run.options) or "") if seen else None
        self._insist_on_rights(place)
        credential = examine(deployed, self.file, os.environ, place)
        run.redactor.learn(credential.token.get_secret_value())
        if why := deployed.standstill():
            raise NotLive(why)
        before = deployed.state()
        stack.callback(self._compare, before)
        image = stated.vantage_image
        self.say(f"{run.options.mode}: tries {deployed} as {self.file} describes it, and leaves it as it is")
        for line in announced(run.options, image):
            self.say(line)
        stack.enter_context(named(deployed))
        vantage = stack.enter_context(_vantage(deployed, image, run)) if image and not stated.url else None
        endpoint = self._found(credential, vantage)
        self._describe(endpoint)
        self._sweep(endpoint)
        lacking = [KUBERNETES, *([] if seen else [VANTAGE]), *forbidden(run.options)]
        for line in bounds(scenarios, lacking):
            self.say(line)
        has = frozenset({"ingress", *([VANTAGE] if seen else ())})
        return Target(
            endpoint,
            has,
            deployed=deployed,
            kubeconfig=access.kubeconfig,
            context=access.context,
            vantage=vantage,
        )

    def _insist_on_rights(self, vantage: str | None) -> None:
        """Name the rights that are missing; where nobody may ask for his own, they show as they are needed."""
        with suppress(ApiError):
            report = home() if self.run.options.report_configmap else ""
            grants = needed(self.deployed.stated, vantage, report)
            missing = lacking(self.deployed.kube, grants, f"chroma-{self.run.id}")
            if missing:
                remedy = "docs/targets/rights.yaml shows how they are granted"
                raise TargetError(self.file, [f"this user lacks rights {describe(missing)}; {remedy}"])

    def _found(self, credential: Credential, vantage: Vantage | None) -> Endpoint:
        stated = self.deployed.stated
        way = at_service(self.deployed, vantage) if vantage else at_url(self.deployed)
        place = stated.token.place(stated.namespace) if stated.token else ""
        given = Given(
            token=place,
            token_place=f"under token in {self.file}",
            header=f"under token.header in {self.file}",
            tenancy=f"in {self.file}",
            authority=f"ca_bundle in {self.file}",
        )
        endpoint = find(way, credential, tenancy_of(self.deployed), given)
        known = stated.version if stated.version != FIND_OUT else self.deployed.version()
        if wrong := contradiction(known, endpoint.version):
            if known == stated.version:
                raise TargetError(self.file, [wrong])
            known = ""  # the tag of an image may be anything
        if not _advances(endpoint):
            raise NotLive(f"the heartbeat of {self.deployed} stands still at {way}")
        return replace(endpoint, deployed_version=known)

    def _describe(self, endpoint: Endpoint) -> None:
        self.run.facts[DEPLOYED] = str(self.deployed)
        self.run.facts["kubernetes"] = version_of(self.deployed.kube)
        header = endpoint.credential.header
        asks = "asks for no token" if endpoint.open else f"asks for a token in the header {header}"
        self.say(f"  it is Chroma {endpoint.told_version} at {endpoint.way}, and {asks}")

    def _sweep(self, endpoint: Endpoint) -> None:
        """Remove what dead runs have left there; a run that only reads removes nothing."""
        if WRITING not in self.run.options.permitted:
            return
        given = home_of_vantage(self.run.options)
        swept = sweep_vantages(self.deployed.kube, given, datetime.now(UTC))
        remains = Remains(str(self.deployed), endpoint.way, endpoint.credential, endpoint.tenancy)
        sweep_databases(remains, swept)
        for line in swept.lines():
            self.say(f"  {line}")

    def _compare(self, before: Mapping[str, str]) -> None:
        """Note that it was changed meanwhile: then what was seen is not of one deployment."""
        try:
            changed = differing(before, self.deployed.state())
        except ApiError:
            return
        if changed:
            self.run.facts[CHANGED] = f"the target was changed by something else meanwhile: {changed}"


def _vantage(deployed: Deployed, image: str, run: Run) -> Vantage:
    pull = deployed.stated.pull_secret
    return Vantage(
        deployed.kube, image, run.deadlines, namespace=place_of_vantage(run), run_id=run.id, pull=pull
    )


def _advances(endpoint: Endpoint) -> bool:
    """Whether the heartbeat goes on."""
    first, second = (
        http.ask(endpoint.way, "GET", HEARTBEAT, endpoint.credential.headers).body for _ in range(2)
    )
    return first != second
