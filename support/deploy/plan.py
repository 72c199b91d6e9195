"""Says what an apply would do to each object and field, and does none of it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Final

from support.core.component import LAST_LIVE
from support.core.parallel import in_parallel
from support.core.quantities import parse_quantity
from support.deploy import precheck
from support.deploy.objects import is_claim
from support.diagnosis import admission
from support.diagnosis.causes import rejection
from support.kube.diff import FieldChange, differences, wanted
from support.kube.errors import ApiError
from support.kube.labels import is_ours
from support.kube.objects import key
from support.platform.certificate import staleness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.deploy.precheck import Situation
    from support.kube.client import Kube
    from support.kube.objects import Object, Objects


# What an operator wants to know before anything else.
REPLACED: Final = "its pod is replaced, and the release does not answer meanwhile (some seconds)"
_LIMIT: Final = re.compile(
    r"spec\.template\.spec\.(?:initContainers|containers)\[(?P<container>[^\]]+)\]\.resources\.limits\.(?P<what>\w+)"
)
_HOST: Final = re.compile(r"spec\.rules\[[^\]]+\]\.host")


class Act(StrEnum):
    """What an apply would do with an object."""

    CREATE = "create"
    CHANGE = "change"
    REMOVE = "remove"
    LEAVE = "leave"


@dataclass(frozen=True)
class Intent:
    """What an apply would do with one object.

    `remarks` is what an operator wants to know besides; `obstacle` says why the API server would not take the object,
    and what to do, None when it would.
    """

    kind: str
    name: str
    act: Act
    differences: tuple[FieldChange, ...] = ()
    remarks: tuple[str, ...] = ()
    obstacle: str | None = None

    def falls(self) -> Iterator[str]:
        """Say which limits of containers would fall, or come where there was none."""
        for each in self.differences:
            if (limited := _LIMIT.fullmatch(each.field)) and each.after and _is_less(each.after, each.before):
                before = each.before or "no limit"
                yield f"the limit of {limited['what']} of container {limited['container']} falls: {before} -> {each.after}"

    def moves(self) -> Iterator[str]:
        """Say which host names would lead to the release no more."""
        if self.kind == "Ingress":
            for each in self.differences:
                if each.before and _HOST.fullmatch(each.field):
                    yield f"the host {each.before} no longer leads to the release: who uses it gets no answer"

    def lines(self) -> Iterator[str]:
        """Say so, a line for each field."""
        is_record = self.name == LAST_LIVE
        yield f"{self.act:8}{self.kind} {self.name}{', the record of what lives' * is_record}"
        for each in () if is_record else (*self.differences, *self.remarks):
            yield f"{'':10}{each}"
        if self.obstacle:
            yield f"{'':10}refused: {self.obstacle}"


@dataclass(frozen=True)
class Plan:
    """What an apply would do in a namespace; `begins`: that is not there yet, and the cluster could judge nothing in it.

    `hindrances` say why an apply would not be begun, and `warnings` what else is to be known of what is there.
    """

    title: str
    namespace: str
    intents: tuple[Intent, ...]
    begins: bool
    hindrances: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    token_changes: bool = False

    def consequences(self) -> list[str]:
        """Say what an apply would do to users that wants their operator's consent, a line each."""
        return [
            *(
                [
                    f"{each.kind} {each.name}: {remark}"
                    for each in self.intents
                    for remark in each.remarks
                    if remark == REPLACED
                ]
            ),
            *(
                ["the token changes: who shows the present one is refused from then on"]
                if self.token_changes
                else []
            ),
            *(
                line
                for each in self.intents
                if each.act is Act.CHANGE
                for line in (*each.falls(), *each.moves())
            ),
        ]

    def changes(self) -> bool:
        """Whether an apply would change anything, as far as is known of what the cluster would not take."""
        return any(each.differences or each.act in {Act.CREATE, Act.REMOVE} for each in self.intents)

    def touched(self, *acts: Act) -> set[str]:
        """Return what would be done to, as "kind name"; everything but what is left when no act is named."""
        chosen = acts or tuple(set(Act) - {Act.LEAVE})
        return {f"{each.kind} {each.name}" for each in self.intents if each.act in chosen}

    def obstacles(self) -> list[str]:
        """Return why an apply would be refused, a line for each object."""
        refused = [f"{each.kind} {each.name}: {each.obstacle}" for each in self.intents if each.obstacle]
        return [*self.hindrances, *refused]

    def lines(self, *, changes_only: bool = False) -> Iterator[str]:
        """Say what would be done, an object after the other, and how much that is; on demand without what is left as it is."""
        yield f"{self.title} in namespace {self.namespace}:"
        yield from (f"refused: {each}" for each in self.hindrances)
        yield from (f"warning: {each}" for each in self.warnings)
        if self.begins:
            yield f"namespace {self.namespace} does not exist yet: what the cluster would refuse in it is not known"
        for intent in self.intents:
            if not (changes_only and intent.act is Act.LEAVE and not intent.obstacle):
                yield from intent.lines()
        counts = Counter(intent.act for intent in self.intents)
        yield ", ".join(f"{counts[act]} to {act}" for act in Act)
        yield from (f"wants consent: {each}" for each in self.consequences())
        if self.hindrances:
            yield "an apply would be refused before it has changed anything"
        elif refused := self.obstacles():
            yield f"an apply would be refused over {len(refused)} of them, and change nothing"


def plan(
    kube: Kube, title: str, namespace: str, objects: Objects, former: Objects, *, seen: Situation
) -> Plan:
    """Return what an apply of some objects in a namespace would do, by dry runs against what is there.

    `former` are the objects of the release that is live, of which those go that the new one has not; `seen` is what is
    there. Raises `ApiError` when the API server fails.
    """
    begins = seen.namespace is None
    # In a namespace that is being deleted nothing can be made, which is said once.
    judged = not begins and not seen.is_ending
    intents = in_parallel([partial(_intent, kube, obj, judged=judged) for obj in objects])
    stale = {key(obj) for obj in former if not is_claim(obj)} - {key(obj) for obj in objects}
    gone = [Intent(*each, Act.REMOVE) for each in sorted(stale) if kube.get(*each, namespace)]
    hindrances = tuple(map(str, precheck.hindrances(kube, seen, objects)))
    warnings = tuple(line for line in seen.warnings() if line not in hindrances)
    return Plan(title, namespace, (*intents, *gone), begins, hindrances, warnings)


def _intent(kube: Kube, obj: Object, *, judged: bool) -> Intent:
    kind, name = key(obj)
    there = kube.get(kind, name, obj["metadata"].get("namespace"))
    if kind == "Namespace" and there and not is_ours(there):
        return Intent(kind, name, Act.LEAVE, remarks=("it is somebody else's, and used as it is",))
    act = Act.CHANGE if there else Act.CREATE
    if not judged and kind != "Namespace":
        return Intent(kind, name, act, obstacle=_foreseen(kube, obj))
    try:
        then = kube.apply(obj, dry_run=True)
    except ApiError as error:
        found = tuple(wanted(there, obj)) if there else ()
        if admission.is_undecided(error):
            return Intent(kind, name, act, found, (f"whether it is taken is not known: {error.message}",))
        refusal = rejection(error)
        return Intent(kind, name, act, found, obstacle=f"{refusal.detail}; to do: {refusal.remedy}")
    found = tuple(differences(there, then)) if there else ()
    if there and not found:
        return Intent(kind, name, Act.LEAVE)
    return Intent(kind, name, act, found, tuple(_remarks(there, then)))


def _is_less(after: str, before: str | None) -> bool:
    try:
        return before is None or parse_quantity(after) < parse_quantity(before)
    except ValueError:  # another tool's spelling, which the API server took
        return True


# A namespace that is sure to be there.
_ELSEWHERE: Final = "default"


def _foreseen(kube: Kube, obj: Object) -> str | None:
    """Return which webhook would give no answer about an object whose namespace is not there yet, asked of it elsewhere.

    Whatever else is said there is said of that namespace.
    """
    labels = obj["metadata"].get("labels", {})
    metadata = {"generateName": f"{obj['metadata']['name']}-", "namespace": _ELSEWHERE, "labels": labels}
    try:
        kube.create({**obj, "metadata": metadata}, dry_run=True)
    except ApiError as error:
        if error.unanswered:
            raise
        if admission.is_unanswered_webhook(error):
            refusal = rejection(error)
            return f"{refusal.detail}; to do: {refusal.remedy}"
    return None


def _remarks(there: Object | None, then: Object) -> Iterator[str]:
    if there and then["kind"] == "StatefulSet" and then["spec"]["template"] != there["spec"]["template"]:
        yield REPLACED
    if there and then.get("type") == "kubernetes.io/tls" and (stale := staleness(there, then)):
        yield stale
