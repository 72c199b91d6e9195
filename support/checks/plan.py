"""Changes to whatever release is under test, each of one field or object, and what a plan has to say of them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from support.core.component import AUTH_KEY, ROUTE, SERVICE
from support.core.promises import PromiseBroken
from support.deploy.plan import Act
from support.release.faults import Patch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.deploy.namespace import Namespace
    from support.deploy.plan import Plan
    from support.deploy.results import Rollout
    from support.kube.client import Kube
    from support.kube.objects import Object
    from support.release.release import Release

_POD: Final = "spec.template.spec.containers[chroma]"
# Changed with every release that differs: the suite's own record of it.
_RECORD: Final = "Secret chroma-last-live"
# What must not be seen of a plan.
_SECRET: Final = "correct-horse-battery-staple"  # noqa: S105 - nobody's


@dataclass(frozen=True)
class PlannedChange:
    """A change to the objects of a release: `act` on `what` ("kind name"), `lines` of its fields, or the `remedy`.

    Each of `lines` is what the plan says of a field, without what it is now.
    """

    patches: tuple[Patch, ...]
    act: Act
    what: str
    lines: tuple[str, ...] = ()
    remedy: str = ""


def _change(act: Act, what: str, *lines: str, remedy: str = "", **patch: Any) -> PlannedChange:
    kind, name = what.split()
    return PlannedChange(
        (Patch.model_validate({"kind": kind, "name": name, **patch}),), act, what, lines, remedy
    )


def _replacing(path: str, value: str) -> list[Mapping[str, str]]:
    return [{"op": "replace", "path": path, "value": value}]


# What the cluster takes.
CHANGES: Final[Mapping[str, PlannedChange]] = {
    "more memory": _change(
        Act.CHANGE,
        "StatefulSet chroma",
        f"{_POD}.resources.limits.memory: 2Gi -> 3Gi",
        json=_replacing("/spec/template/spec/containers/0/resources/limits/memory", "3Gi"),
    ),
    "a smaller upload limit": _change(
        Act.CHANGE,
        "Ingress chroma-ingress",
        "metadata.annotations[nginx.ingress.kubernetes.io/proxy-body-size]: 100m -> 50m",
        merge={"metadata": {"annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "50m"}}},
    ),
    "a shorter time-out of its route": _change(
        Act.CHANGE,
        f"HTTPRoute {ROUTE}",
        "spec.rules[0].timeouts.request: 600s -> 300s",
        json=_replacing("/spec/rules/0/timeouts/request", "300s"),
    ),
    "another token": _change(
        Act.CHANGE,
        "Secret chroma-auth",
        "data.auth-token: a value that is not shown changes",
        merge={"data": {AUTH_KEY: base64.b64encode(_SECRET.encode()).decode()}},
    ),
    "one more Service": _change(
        Act.CREATE,
        "Service chroma-beside",
        add={"apiVersion": "v1", "spec": {"selector": {"app": "chroma"}, "ports": [{"port": 8000}]}},
    ),
    "one Service fewer": _change(Act.REMOVE, "Service chromadb-headless", remove=True),
}

_ANEW: Final = "roll back, which keeps the data, and apply again"
_CLAIM: Final = "PersistentVolumeClaim chroma-data-pvc"

# What the cluster refuses, since it cannot be changed.
IMMUTABLE_CHANGES: Final[Mapping[str, PlannedChange]] = {
    "a claim of another storage class": _change(
        Act.CHANGE,
        _CLAIM,
        "spec.storageClassName: k8s-hostpath -> another-class",
        remedy="keep the claim's class and size, or roll back with its data removed and apply again",
        merge={"spec": {"storageClassName": "another-class"}},
    ),
    "a smaller claim": _change(
        Act.CHANGE,
        _CLAIM,
        "spec.resources.requests.storage: 10Gi -> 5Gi",
        remedy="keep the claim's size (--set claim.size=…) and apply again, or back its data up (--backup), remove it with the release (--remove --remove-data), and restore it (--restore)",
        merge={"spec": {"resources": {"requests": {"storage": "5Gi"}}}},
    ),
    "another governing Service": _change(
        Act.CHANGE,
        "StatefulSet chroma",
        "spec.serviceName: chromadb-headless -> elsewhere",
        remedy=_ANEW,
        merge={"spec": {"serviceName": "elsewhere"}},
    ),
}


@dataclass(frozen=True)
class PlannedLook:
    """A plan, and the versions of what was there before it was made and after."""

    plan: Plan
    before: Mapping[tuple[str, str], str]
    after: Mapping[tuple[str, str], str]

    def __str__(self) -> str:
        return "\n".join(self.plan.lines())


@dataclass(frozen=True)
class Forecast:
    """A plan, and what came of the apply after it."""

    plan: Plan
    rollout: Rollout


def look(here: Namespace, release: Release, change: PlannedChange | None = None) -> PlannedLook:
    """Plan a release, with a change to it, and note what was there before and after."""
    before = here.versions()
    plan = here.plan(release, change.patches if change else ())
    return PlannedLook(plan, before, here.versions())


def forecast(here: Namespace, release: Release, change: PlannedChange) -> Forecast:
    """Plan a release with a change to it, and apply just that."""
    plan = here.plan(release, change.patches)
    return Forecast(plan, here.apply(release, change.patches))


def occupy(kube: Kube, home: Object, manager: str) -> None:
    """Let somebody else have a Service of a release's name, with another port, in a namespace made for it."""
    kube.apply(home)
    where = home["metadata"]["name"]
    metadata = {"name": SERVICE, "namespace": where}
    ports = [{"name": "http", "port": 80, "targetPort": 9999}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}}
    kube.create(service, manager=manager)


def assert_touches(look: PlannedLook, acts: Mapping[Act, set[str]]) -> None:
    """Assert that a plan does just this to just these objects ("kind name"), and leaves the rest."""
    seen: dict[Act, set[str]] = {act: look.plan.touched(act) for act in Act if act is not Act.LEAVE}
    promised = {act: set(acts.get(act, ())) for act in seen}
    if seen != promised:
        raise PromiseBroken(_describe(promised), f"{_describe(seen)}\n{look}")


def assert_creates_all(look: PlannedLook) -> None:
    """Assert that a plan creates all that a release consists of, and more than a pod at that."""
    everything = {f"{intent.kind} {intent.name}" for intent in look.plan.intents}
    assert {"StatefulSet chroma", f"Service {SERVICE}", _RECORD} < everything, str(look)
    assert_touches(look, {Act.CREATE: everything})


def assert_names(look: PlannedLook, change: PlannedChange) -> None:
    """Assert that a plan names what a change does to an object, field by field, and nothing else."""
    promised: dict[Act, set[str]] = {Act.CHANGE: {_RECORD}}
    promised.setdefault(change.act, set()).add(change.what)
    assert_touches(look, promised)
    (intent,) = [each for each in look.plan.intents if f"{each.kind} {each.name}" == change.what]
    seen = tuple(map(str, intent.differences))
    if seen != change.lines:
        raise PromiseBroken(change.lines, seen)


def assert_shows_no_secret(look: PlannedLook) -> None:
    """Assert that nobody learns the other token from a plan."""
    text = str(look)
    assert _SECRET not in text, text
    assert base64.b64encode(_SECRET.encode()).decode() not in text, text


def assert_names_refusal(plan: Plan, change: PlannedChange) -> None:
    """Assert that a plan names the field that cannot be changed, and what to do."""
    (intent,) = [each for each in plan.intents if f"{each.kind} {each.name}" == change.what]
    text = "\n".join(plan.lines())
    assert tuple(map(str, intent.differences)) == change.lines, text
    if change.remedy not in (intent.obstacle or ""):
        raise PromiseBroken(change.remedy, text)


def assert_names_conflict(plan: Plan, manager: str, field: str) -> None:
    """Assert that a plan says who else manages a field."""
    obstacles = plan.obstacles()
    if not any(manager in line and field in line for line in obstacles):
        raise PromiseBroken(f"{manager}, {field}", obstacles)


def assert_nothing_changed(look: PlannedLook) -> None:
    """Assert that planning has changed nothing."""
    changed = {
        each
        for each in look.before.keys() | look.after.keys()
        if look.before.get(each) != look.after.get(each)
    }
    assert not changed, (
        f"changed by planning: {', '.join(f'{kind} {name}' for kind, name in sorted(changed))}"
    )


def assert_came_true(forecast: Forecast) -> None:
    """Assert that an apply changed what its plan had named, and nothing else; pods come and go with their makers."""
    assert not forecast.rollout.finding, str(forecast.rollout)
    changed = {each for each in forecast.rollout.changed if not each.startswith("Pod ")}
    if changed != forecast.plan.touched():
        raise PromiseBroken(forecast.plan.touched(), changed)


def _describe(acts: Mapping[Act, set[str]]) -> str:
    return "; ".join(f"{act} {', '.join(sorted(names)) or 'nothing'}" for act, names in acts.items())


def assert_remedy(rollout: Rollout) -> None:
    """Assert that a refusal says what to do before the next apply."""
    if not rollout.finding or "apply again" not in rollout.finding.remedy:
        raise PromiseBroken("a refusal that says what to do before the next apply", rollout)
