"""How a run begins that verifies a release as it lives: it says what it is going to do, and in the end what it did."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from support.core.component import LAST_LIVE
from support.core.restraint import restraint
from support.deploy import last_live, lease
from support.deploy.sweep import sweep_unmarked
from support.kube.client import Kube
from support.kube.errors import ApiError
from support.kube.objects import key
from support.kube.silence import silence
from support.platform.rights import NO_VANTAGE
from support.reporting.scenario import DEPLOYING, KUBERNETES, MODE_CAPABILITIES, NEEDS, VANTAGE, WRITING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from support.kube.objects import Object
    from support.platform.inventory import Inventory
    from support.reporting.scenario import Scenario
    from support.session.options import Options
    from support.session.run import Run

# The fact that names the release which was verified.
LIVES: Final = "release"


def verify(
    run: Run, inventory: Inventory, scenarios: Iterable[Scenario], say: Callable[[str], None]
) -> ExitStack:
    """Begin on a cluster whose release is verified, and return what ends it there; `say` takes lines that stay.

    Nothing shows on the cluster that the run lives: a mark and a Lease would be objects. Raises `pytest.UsageError` where
    nothing is recorded that could be verified, or where another run acts on the release.
    """
    kube = Kube(inventory.kubeconfig, inventory.context)
    beginning = _Verification(run, inventory, kube)
    try:
        lines = list(beginning.lines(scenarios))
    except ApiError as error:
        raise pytest.UsageError(
            silence(kube, error) or f"what lives there cannot be seen: {error.message}"
        ) from None
    for line in lines:
        say(line)
    stack = ExitStack()
    stack.callback(beginning.compare)
    return stack


@dataclass
class _Verification:
    run: Run
    inventory: Inventory
    kube: Kube
    _before: dict[str, str] = field(default_factory=dict)

    def lines(self, scenarios: Iterable[Scenario]) -> Iterator[str]:
        """Find out what lives there, and say what will be done; raises `pytest.UsageError`, `ApiError`."""
        run, name = self.run, self.run.base_name
        yield from self._others()
        recalled = last_live.recall(self.kube, name)
        if recalled is None:
            raise pytest.UsageError(
                f"{run.options.mode}: no release is recorded in namespace {name} (Secret {LAST_LIVE}), so that there is nothing to "
                "verify; name its namespace with --namespace, or deploy it with --apply"
            )
        release, objects, _ = recalled
        run.verified = release.model_dump(mode="json")
        run.facts[LIVES] = release.name
        self._before = self._versions(objects)
        images = ", ".join(release.images)
        yield f'{run.options.mode}: verifies release "{release.name}" ({images}) as it lives in {name}, and leaves it as it is'
        yield from announced(run.options, self.inventory.vantage_image)
        yield from self._sweep()
        yield from bounds(scenarios, forbidden(run.options))

    def _others(self) -> Iterator[str]:
        """Refuse to begin while another run acts on the release: what would be seen is that run."""
        places = (self.run.base_name, self.inventory.certificate_namespace)
        try:
            held = lease.held(self.kube, places, datetime.now(UTC))
        except ApiError as error:
            yield f"whether another run acts on the release cannot be seen: {error.message}"
            return
        if held:
            raise pytest.UsageError(held)

    def _sweep(self) -> Iterator[str]:
        """Remove what runs have left that were killed while they verified; a run that only reads removes nothing."""
        if WRITING not in self.run.options.permitted:
            return
        given = home_of_vantage(self.run.options)
        swept = sweep_unmarked(self.kube, self.inventory, self.run.base_name, given, datetime.now(UTC))
        yield from (f"  {line}" for line in swept.lines())

    def compare(self) -> None:
        """Note that somebody has changed the release meanwhile: then what was seen is not of one release."""
        name = self.run.base_name
        try:
            recalled = last_live.recall(self.kube, name)
            after = self._versions(recalled[1] if recalled else [])
            held = lease.held(self.kube, (name, self.inventory.certificate_namespace), datetime.now(UTC))
        except ApiError:
            return
        if changed := differing(self._before, after):
            by = f"; {held}" if held else ""
            self.run.facts[CHANGED] = f"the release was changed by somebody else meanwhile: {changed}{by}"

    def _versions(self, objects: Iterable[Object]) -> dict[str, str]:
        """Return the generation of what makes the release, and which pod it has."""
        found: dict[str, str] = {}
        name = self.run.base_name
        for kind, called in [key(obj) for obj in objects if obj["kind"] == "StatefulSet"]:
            stored: Any = self.kube.get(kind, called, name)
            found[f"{kind} {called}"] = str(
                stored and (stored["metadata"]["uid"], stored["metadata"].get("generation"))
            )
        for pod in self.kube.list("Pod", name):
            if any(one["kind"] == "StatefulSet" for one in pod["metadata"].get("ownerReferences") or ()):
                restarts = sum(one["restartCount"] for one in pod["status"].get("containerStatuses") or ())
                found[f"Pod {pod['metadata']['name']}"] = f"{pod['metadata']['uid']} {restarts}"
        return found


# The fact that somebody else has changed the release while it was verified.
CHANGED: Final = "changed"

_WHY: Final = {
    KUBERNETES: "they are about what this suite deploys",
    VANTAGE: "they go by a way inside the cluster",
    DEPLOYING: "they apply a release, put objects on the cluster, or strain it",
    WRITING: "they write through Chroma, or try to",
}


def differing(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Name what is not as it was before; "" where nothing is."""
    return ", ".join(sorted(one for one in before.keys() | after.keys() if before.get(one) != after.get(one)))


def home_of_vantage(options: Options) -> str | None:
    """Return the namespace that the vantage was given, None where it has one of its own, or is not to be."""
    return options.vantage_namespace if options.vantage_namespace != NO_VANTAGE else None


def place_of_vantage(run: Run) -> str:
    """Return the namespace in which the vantage of a process of the run is: the one that was given, or one of its own."""
    own = "-".join(filter(None, ("chroma-conformance", run.id, run.worker)))
    return home_of_vantage(run.options) or own


def announced(options: Options, image: str | None) -> Iterator[str]:
    """Say what a run will make: an `image` is that of its vantage, None where there is none."""
    if image is None or options.vantage_namespace == NO_VANTAGE:
        why = "--vantage-namespace none" if image else "no vantage_image is given"
        yield f"  it makes no object, so that the ways inside the cluster are not seen ({why})"
    else:
        home = home_of_vantage(options)
        place = f"namespace {home}" if home else "a namespace of its own, which goes at the end"
        yield f"  it makes one object: a pod of {image} in {place}, once it needs one"
    yield (
        "  it writes no record"
        if WRITING not in options.permitted
        else "  it writes records into databases of its own, which go with it"
    )


def bounds(scenarios: Iterable[Scenario], lacking: Sequence[str]) -> Iterator[str]:
    """Say how much a run may send, and which scenarios it leaves out since it is `lacking` what they need."""
    yield f"  it sends at most: {restraint().budget}"
    for count, why in _left_out(scenarios, lacking):
        yield f"  it leaves out {count} scenarios: {why}"


def forbidden(options: Options) -> list[str]:
    """Return what a run may not do by its mode."""
    return [one for one in MODE_CAPABILITIES if one not in options.permitted]


def _left_out(scenarios: Iterable[Scenario], lacking: Sequence[str]) -> list[tuple[int, str]]:
    """Return how many scenarios are left out for which reason."""
    found: Counter[str] = Counter()
    for one in scenarios:
        if reason := next((need for need in lacking if NEEDS + need in one.tags), None):
            found[reason] += 1
    return [(count, f"{_WHY[need]} (@{NEEDS}{need})") for need, count in found.items()]


def why_left_out(mode: str, need: str) -> str:
    """Say why a mode leaves a scenario out."""
    return (
        f"left out by {mode}: "
        + {
            DEPLOYING: "it applies a release, puts objects on the cluster, or strains it",
            WRITING: "it writes through Chroma, or tries to",
        }[need]
    )


# What is said of an object that a run has made, by whether it went again; None where it was to stay.
_FATES: Final = {True: ", and removed it", False: ": IT IS STILL THERE", None: ", which stays"}


def deeds(total: Counter[str], made: dict[str, bool | None]) -> Iterator[str]:
    """Say what a run did, by kind."""
    asked = total["reads"] + total["writes"]
    size = total["bytes"] / (1 << 20)
    yield (
        f"to the release: {asked} requests ({total['reads']} reads, {total['writes']} writes), {total['records']} records, "
        f"{size:.1f} MiB, {total['busy ms'] / 1000:.1f} s of its work"
        + (f"; waited {total['waited ms'] / 1000:.1f} s for its budget" if total["waits"] else "")
    )
    yield (
        f"to the API server: {total['api reads']} reads, {total['api writes']} writes; into pods: "
        f"{total['portforward']} connections through the vantage, {total['exec']} commands"
    )
    for path, gone in made.items():
        yield f"made {path}" + _FATES[gone]
    if not made:
        yield "made no object"
    if total["databases"]:
        left = total["databases"] - total["databases removed"]
        yield f"made {total['databases']} databases in the release, and removed " + (
            "them all" if not left else f"{total['databases removed']}: {left} ARE STILL THERE"
        )
