"""A namespace in which a release lives: applies releases, lets refused ones give way, and rolls back."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from support import causes, record, removal
from support.causes import Cause, Finding
from support.kube import Refused
from support.liveness import NeverWill, NotYet, Pulse
from support.plan import (
    claim_names,
    is_bound,
    is_claim,
    is_ours,
    key,
    named,
    rehearsal,
    waves,
    without_ownership,
)
from support.render import Tls, render
from support.rollout import KINDS, Course, is_ready
from support.together import together
from support.wait import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from pydantic import SecretStr

    from support.faults import Fault
    from support.inventory import Inventory
    from support.kube import Kube, Object, Objects
    from support.plan import Key
    from support.release import Release
    from support.render import Place
    from support.wait import Deadlines

# What the platform's certificate is called, and where it is (platform.md).
_TLS_NAMESPACE: Final = "default"

# What the scheduler writes on a claim when it has chosen a node for its pod.
_SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"

# HTTP statuses by which the API server judges an object: malformed, forbidden, managed by somebody else, invalid.
_JUDGEMENTS: Final = {400, 403, 409, 422}


@dataclass(frozen=True)
class Live:
    """A release that is live, and the objects it was rendered to."""

    namespace: Namespace
    release: Release
    objects: Objects

    @property
    def inventory(self) -> Inventory:
        """What the platform gives."""
        return self.namespace.inventory

    @property
    def token(self) -> SecretStr:
        """The token that lets its bearer in."""
        return self.inventory.admin_password

    def pulse(self) -> Pulse:
        """Return what looks whether it lives; a context manager."""
        return self.namespace.pulse()


@dataclass(frozen=True)
class Rollout:
    """How the apply of a release went.

    `finding` says why it was refused, None when it is live. `live` is what lives in the namespace now: the release
    itself, the one before that it gave way to, or nothing. `seconds` from the apply to each stage.
    """

    release: Release
    live: Live | None
    finding: Finding | None
    seconds: dict[str, float]


@dataclass(frozen=True)
class RollBack:
    """What a roll back removed, and what of the suite's it left, each as "kind name"."""

    removed: tuple[str, ...]
    kept: tuple[str, ...]


class Namespace:
    """One namespace on the cluster; `place` says which, and the host name that leads to it.

    Every release that is applied here is spoiled by `fault`, if there is one. `progress` is given one line for each
    change while a release goes live.
    """

    def __init__(  # noqa: PLR0917 - what it stands on
        self,
        kube: Kube,
        inventory: Inventory,
        place: Place,
        deadlines: Deadlines,
        fault: Fault | None,
        progress: Callable[[str], None],
    ) -> None:
        self.kube = kube
        self.inventory = inventory
        self.name = place.namespace
        self.host = place.host
        self._place = place
        self._deadlines = deadlines
        self._fault = fault
        self._progress = progress
        self._known: tuple[Live, str] | None = (
            None  # what was seen live last, and the version of its StatefulSet
        )

    def apply(self, release: Release) -> Rollout:
        """Apply a release and wait until it is live, or is refused and has given way.

        A refused release gives way to the last live one, and when there is none, to nothing: what it made is removed,
        and what was there before, data above all, stays. Applying a live release again changes no object.

        Raises `Refused` when the API server fails, `LookupError` when the platform's certificate is missing.
        """
        self._known = None
        objects = self._render(release)
        with self.kube.watch(KINDS, self.name) as watch, self.pulse() as pulse:
            existed = self.kube.get("Namespace", self.name) is not None
            former = self._recall() if existed else None
            before = self.versions() if existed else {}
            course = Course(watch, self._deadlines, self._progress)
            finding = self._roll_out(course, objects, former, pulse)
            if finding is None:
                live: Live | None = Live(self, release, objects)
                record.remember(self.kube, self._place, release, objects)
                self._prune(former, objects)
                course.mark("live")
                self._progress(f'release "{release.name}" is live after {course.seconds["live"]:.1f} s')
            else:
                course.mark("refused")
                self._progress(f'release "{release.name}" is refused because {finding}')
                again = Course(watch, self._deadlines, self._progress)
                live = former and self._restore(again, former, pulse)
                self._clear(self._leftovers(before, former), namespace=not existed)
                course.mark("gave way")
        if live:
            self._know(live)
        return Rollout(release, live, finding, course.seconds)

    def ensure_live(self, release: Release) -> Live:
        """Return the release as it lives, and apply it first unless it is live already.

        Cheap as long as its StatefulSet is as it was when it was last seen live: whatever happens to a pod shows there.
        """
        if (
            self._known
            and self._known[0].release == release
            and self._known[1] == self._version(self._known[0])
        ):
            return self._known[0]
        live = self.live()
        if live and live.release == release and live.objects == self._render(release):
            self._know(live)
            return live
        rollout = self.apply(release)
        if rollout.finding:
            raise AssertionError(f'release "{release.name}" is refused because {rollout.finding}')
        assert rollout.live
        return rollout.live

    def live(self) -> Live | None:
        """Return the release that is live at this moment: complete, its heartbeat advances, a write is acknowledged."""
        recalled = self._recall()
        statefulset = recalled and named(recalled.objects, "StatefulSet")
        if not recalled or not statefulset:
            return None
        now = causes.Seen(self.kube.get(*key(statefulset), self.name), self.kube.list("Pod", self.name))
        if not is_ready(now):
            return None
        try:
            with self.pulse() as pulse:
                pulse.advances()
                pulse.keeps()
        except (NotYet, NeverWill):
            return None
        return recalled

    def roll_back(self, *, remove_data: bool = False) -> RollBack:
        """Remove everything of the release, wait until it is gone, and say what stays.

        The claim stays with its data, and the namespace around it. With `remove_data` they go as well; a namespace
        stays that the suite did not make, or in which there is anything of somebody else. Doing it twice is harmless.

        Raises `Timeout` that names what is not gone, or `Refused`.
        """
        self._known = None
        namespace = self.kube.get("Namespace", self.name)
        if not namespace:
            return RollBack((), ())
        objects = removal.owned(self.kube, self.name)
        going = [obj for obj in objects if remove_data or not is_claim(obj)]
        kept = [obj for obj in [namespace, *objects] if is_ours(obj) and obj not in going]
        if self._clear(going, namespace=remove_data):
            going.append(kept.pop(0))
        return RollBack(_named(going), _named(kept))

    def discard(self) -> None:
        """Ask for the end of a throw-away namespace and of all that is in it, without waiting for it."""
        self._known = None
        if self.kube.get("Namespace", self.name):
            objects = removal.owned(self.kube, self.name)
            self.kube.delete("Namespace", self.name)
            removal.ask_for_removal(self.kube, self.name, objects, grace=1)

    def versions(self) -> dict[Key, str]:
        """Return the resourceVersion of every object of the suite in the namespace, by kind and name."""
        return {key(obj): obj["metadata"]["resourceVersion"] for obj in removal.owned(self.kube, self.name)}

    def pulse(self) -> Pulse:
        """Return what looks whether the release here lives; a context manager."""
        return Pulse(self.host, self.inventory, self.inventory.admin_password, self._deadlines.answer)

    def _render(self, release: Release) -> Objects:
        objects = render(release, self.inventory, self._place, self._certificate())
        return self._fault.spoil(objects) if self._fault else objects

    def _certificate(self) -> Tls:
        name = f"{self.inventory.domain_name.replace('.', '-')}-tls"
        secret = self.kube.get("Secret", name, _TLS_NAMESPACE)
        if not secret:
            raise LookupError(
                f"Secret {_TLS_NAMESPACE}/{name} is missing: the platform keeps the certificate of "
                f"*.{self.inventory.domain_name} there, and every release takes a copy"
            )
        data = secret["data"]
        return Tls(base64.b64decode(data["tls.crt"]), base64.b64decode(data["tls.key"]))

    def _recall(self) -> Live | None:
        recalled = record.recall(self.kube, self.name)
        return Live(self, *recalled) if recalled else None

    def _roll_out(
        self, course: Course, objects: Objects, former: Live | None, pulse: Pulse
    ) -> Finding | None:
        """Apply a release that nothing speaks against and follow it until it is live; return why it cannot be."""
        try:
            self._rehearse(objects, former)
            return self._put(course, objects, pulse)
        except Refused as refused:
            return _rejection(refused)

    def _rehearse(self, objects: Objects, former: Live | None) -> None:
        """Let the API server judge every object and the pod, before the first good one is touched."""
        namespaces, needs, makers = waves(objects)
        for namespace in namespaces:
            self._take(namespace)
        together([partial(self.kube.apply, obj, dry_run=True) for obj in needs + makers])
        for maker in makers:
            admitted = partial(self._admits, rehearsal(maker), former)
            wait_for(admitted, self._deadlines.namespace, lambda: "no pod admitted: no service account")

    def _admits(self, pod: Object, former: Live | None) -> bool:
        try:
            self.kube.create(pod, dry_run=True)
        except Refused as refused:
            if "serviceaccount" in refused.message.lower():
                return False  # a new namespace is given its account a moment after it is made
            if not (former and "exceeded quota" in refused.message):  # the pod before it gives its share back
                raise
        return True

    def _put(self, course: Course, objects: Objects, pulse: Pulse) -> Finding | None:
        """Apply objects and follow them until they are live; return why they cannot become so."""
        namespaces, needs, makers = waves(objects)
        for namespace in namespaces:
            self._take(namespace)
        stored = together([partial(self.kube.apply, obj) for obj in needs])
        course.mark("applied")
        for maker in makers:
            finding = self._bind(course, stored, maker) or course.until_live(self.kube.apply(maker), pulse)
            if finding:
                return finding
        return None if makers else Finding(Cause.NEVER_READY, "the release has no StatefulSet")

    def _take(self, namespace: Object) -> None:
        """Apply a Namespace; one that is somebody else's does not become ours by it, and is never removed."""
        there = self.kube.get("Namespace", self.name)
        self.kube.apply(without_ownership(namespace) if there and not is_ours(there) else namespace)

    def _bind(self, course: Course, stored: Objects, maker: Object) -> Finding | None:
        """Let the claims of a pod be bound before it comes, where that is possible; return why they cannot be.

        The scheduler looks at a claim that waits for its pod only once a second (speed.md).
        """
        mounted = claim_names(maker)
        claims = [obj for obj in stored if is_claim(obj) and key(obj)[1] in mounted]
        unbound = {key(claim)[1] for claim in claims if not is_bound(claim) and self._binds_ahead(claim)}
        return course.until_bound(unbound) if unbound else None

    def _binds_ahead(self, claim: Object) -> bool:
        """Whether a claim can be bound before its pod is there; on the only node it can come to, it is asked to."""
        storage_class = self.kube.get("StorageClass", claim["spec"].get("storageClassName", ""))
        if not storage_class or storage_class.get("volumeBindingMode") != "WaitForFirstConsumer":
            return True
        nodes = [node for node in self.kube.list("Node") if not node["spec"].get("unschedulable")]
        if len(nodes) != 1:
            return False
        chosen = {"metadata": {"annotations": {_SELECTED_NODE: key(nodes[0])[1]}}}
        self.kube.patch("PersistentVolumeClaim", key(claim)[1], self.name, chosen)
        return True

    def _restore(self, course: Course, former: Live, pulse: Pulse) -> Live | None:
        """Bring the release back that was live before; None, with a line of progress, when that fails as well."""
        try:
            finding = self._put(course, former.objects, pulse)
        except Refused as refused:
            finding = _rejection(refused)
        if finding:
            self._progress(f'release "{former.release.name}" cannot go live again: {finding}')
        return None if finding else former

    def _leftovers(self, before: Container[Key], former: Live | None) -> Objects:
        """Return what a refused release made: what was neither there before nor belongs to the one before it."""
        kept = {key(obj) for obj in former.objects} if former else set()
        return [
            obj
            for obj in removal.owned(self.kube, self.name)
            if key(obj) not in before and key(obj) not in kept
        ]

    def _prune(self, former: Live | None, objects: Objects) -> None:
        """Remove what only the release before had; claims stay, since data goes only when that is asked for."""
        stale = {key(obj) for obj in former.objects} - {key(obj) for obj in objects} if former else set()
        self._clear(
            [obj for obj in removal.owned(self.kube, self.name) if key(obj) in stale and not is_claim(obj)]
        )

    def _clear(self, objects: Objects, *, namespace: bool = False) -> bool:
        """Remove objects, with the `namespace` if it is ours and holds nothing else; return whether that went, too."""
        there = self.kube.get("Namespace", self.name) if namespace else None
        if there and is_ours(there) and not removal.foreign(self.kube, self.name):
            removal.remove_namespace(self.kube, self.name, objects, self._deadlines)
            return True
        removal.remove(self.kube, self.name, objects, self._deadlines)
        return False

    def _know(self, live: Live) -> None:
        self._known = live, self._version(live)

    def _version(self, live: Live) -> str:
        statefulset = named(live.objects, "StatefulSet")
        stored = statefulset and self.kube.get(*key(statefulset), self.name)
        return stored["metadata"]["resourceVersion"] if stored else ""


def _rejection(refused: Refused) -> Finding:
    """Return the finding for what the API server would not take; what is no judgement of the object is raised again."""
    if refused.status not in _JUDGEMENTS:
        raise refused
    return causes.rejected(refused.reason, refused.message)


def _named(objects: Objects) -> tuple[str, ...]:
    return tuple(f"{kind} {name}" for kind, name in map(key, objects))
