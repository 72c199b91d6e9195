"""A namespace in which a release lives: applies releases, lets refused ones give way, and rolls back."""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from support.core.resolver import nameless
from support.deploy import last_live, plan, precheck, removal, volumes
from support.deploy.apply import apply_objects, create_claims, dry_run, prepull, reapply
from support.deploy.custody import Custody
from support.deploy.live import Live
from support.deploy.liveness import Expectation, HealthCheck, Lost, NeverWill, NotYet, Unreadable
from support.deploy.objects import is_announcement, is_claim
from support.deploy.precheck import ObstructedError
from support.deploy.results import NotLive, RollBack, Rollout
from support.deploy.rollout import KINDS, RolloutMonitor, is_ready
from support.diagnosis import causes, inquiry
from support.diagnosis.causes import Finding, rejection
from support.kube.client import ApiError
from support.kube.labels import is_throw_away
from support.kube.objects import key
from support.kube.watch import Watch
from support.platform import code_server
from support.platform.certificate import platform_certificate
from support.release import lint
from support.release.render import render

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from pydantic import SecretStr

    from support.core.wait import Deadlines
    from support.deploy.plan import Plan
    from support.deploy.precheck import Obstacle
    from support.kube.client import Kube
    from support.kube.objects import Key, Object, Objects
    from support.platform.inventory import Inventory
    from support.release.faults import Fault, Patch
    from support.release.place import Place
    from support.release.release import Release


class Namespace:
    """One namespace on the cluster; `place` says which, and the host name that leads to it.

    `fault_of` says which fault spoils a release that is applied here. `progress` is given one line for each change while
    a release goes live. `on_refusal` is shown each refused release before it gives way: the cluster, the namespace's name,
    the objects. An insecure release is refused, unless `accept_insecure` returns a function that takes a note of it;
    one of an older version than the data's, unless `accept_downgrade`.
    """

    def __init__(  # noqa: PLR0917 - what it stands on
        self,
        kube: Kube,
        inventory: Inventory,
        place: Place,
        deadlines: Deadlines,
        fault_of: Callable[[Release], Fault | None],
        progress: Callable[[str], None],
        on_refusal: Callable[[Kube, str, Objects], None] = lambda _kube, _name, _rendered: None,
        accept_insecure: Callable[[Release], Callable[[str], None] | None] = lambda _release: None,
        *,
        accept_downgrade: bool = False,
    ) -> None:
        self.kube = kube
        self.inventory = inventory
        self.name = place.namespace
        self.host = place.host
        self._place = place
        self._deadlines = deadlines
        self._fault_of = fault_of
        self._progress = progress
        self._on_refusal = on_refusal
        self._accept_insecure = accept_insecure
        self._accept_downgrade = accept_downgrade
        # What was seen live last, and the version that its StatefulSet had.
        self._known: tuple[Live, str] | None = None
        self._refused: Rollout | None = None

    def plan(self, release: Release, changes: Sequence[Patch] = ()) -> Plan:
        """Return what an apply of a release, with some changes to its objects, would do; nothing is done.

        Raises `ApiError` when the API server fails, `LookupError` when the platform's certificate is missing.
        """
        objects = self._render(release, changes)
        former = self._recall()
        custody = self._custody(former)
        forbidden = custody.forbids(objects, accept_downgrade=self._accept_downgrade)
        found = plan.plan(
            self.kube,
            f'release "{release.name}"',
            self.name,
            [*objects, last_live.secret(self._place, release, objects, self.inventory.admin_password)],
            former.objects if former else [],
            seen=precheck.observe(self.kube, self.name),
        )
        over_data = (str(forbidden),) if forbidden else ()
        return replace(
            found,
            hindrances=(*over_data, *found.hindrances),
            warnings=(*custody.remarks(objects), *found.warnings),
        )

    def forbids(self, release: Release) -> Finding | None:
        """Return why a release must not be deployed here at all, None where that is not known beforehand."""
        reason = lint.why_insecure(release)
        return causes.insecure(reason) if reason and self._accept_insecure(release) is None else None

    def apply(self, release: Release, changes: Sequence[Patch] = ()) -> Rollout:
        """Apply a release, with some changes to its objects, and wait until it is live, or refused and has given way.

        A refused release gives way to the last live one, and when there is none, to nothing: what it made is removed,
        and what was there before, data above all, stays. Applying a live release again changes no object.

        Raises `ApiError` when the API server fails, `LookupError` when the platform's certificate is missing.
        """
        self._known = self._refused = None
        objects = self._render(release, changes)
        applied = self._live(release, objects)
        with Watch(self.kube, KINDS, self.name) as watch:
            there = removal.owned(self.kube, self.name)
            before = _versions(there)
            former = self._recall()
            monitor = RolloutMonitor(watch, self._deadlines, self._progress)
            custody = self._custody(former)
            finding = (
                self._forbid(release, objects, custody)
                or (former and self._unnamed())
                or self._prepare(monitor, objects, former)
            )
            touched = finding is None
            finding = finding or self._deploy(monitor, applied, former, custody)
            if finding is None:
                monitor.mark("live")
                self._progress(f'release "{release.name}" is live after {monitor.seconds["live"]:.1f} s')
                live: Live | None = applied
                self._prune(former, objects)
            else:
                monitor.mark("refused")
                finding = self._lost(there) or finding
                self._on_refusal(self.kube, self.name, objects)
                custody.settle(objects)
                if finding.cause is causes.Cause.TAKEN_AWAY:
                    # Whoever rolled it back wants nothing of it here, nor of the one before it.
                    former = None
                    self._remove(remove_data=False)
                before_it = f'release "{former.release.name}"' if former else "nothing"
                self._progress(f'release "{release.name}" gives way to {before_it}: {finding}')
                again = RolloutMonitor(watch, self._deadlines, self._progress, named=True)
                live = (
                    self._give_way(again, former, there, finding, custody)
                    if touched
                    else former and self.live(note=False)
                )
                if not touched:
                    self._clear(
                        self._leftovers(before, former), namespace=("Namespace", self.name) not in before
                    )
                monitor.mark("gave way")
        if live and not changes:
            self._know(live)
        changed = self._changed_since(before)
        if live:
            custody.remember()
        return Rollout(release, live, finding, changed, monitor.seconds, self._update_code_server())

    def ensure_live(self, release: Release) -> Live:
        """Return the release as it lives, and apply it first unless it is live already.

        Cheap as long as its StatefulSet is as it was when it was last seen live: whatever happens to a pod shows there.
        A release that has been refused here is not applied again.

        Raises an AssertionError when it is refused.
        """
        if (
            self._known
            and self._known[0].release == release
            and self._version(self._known[0]) == self._known[1]
        ):
            return self._known[0]
        if not (self._refused and self._refused.release == release):
            live = self.live()
            if live and live.release == release and live.objects == self._render(release):
                self._know(live)
                return live
            rollout = self.apply(release)
            if rollout.live and not rollout.finding:
                return rollout.live
            self._refused = rollout
        raise AssertionError(f'release "{release.name}" is refused because {self._refused.finding}')

    def ensure_rolled_back(self, release: Release) -> None:
        """See to it that nothing is left of the release but its claim, with the data it had while it was live."""
        if not self.kube.get("PersistentVolumeClaim", release.claim.name, self.name):
            self.ensure_live(release)
        self.roll_back()

    def assert_live(self, release: Release, rollout: Rollout) -> None:
        """Assert that a release is live at this moment, after a rollout: its own, or that of a refused one."""
        if rollout.release == release and rollout.finding:
            raise AssertionError(f'release "{release.name}" is not live: refused because {rollout.finding}')
        live = self.prove_live()
        assert live.release == release, f'release "{live.release.name}" is live instead of "{release.name}"'

    def live(self, *, note: bool = True) -> Live | None:
        """Return the release that is live at this moment, None when there is none; `note` as in `prove_live`."""
        try:
            return self.prove_live(note=note)
        except NotLive:
            return None

    def prove_live(self, *, note: bool = True) -> Live:
        """Return the release that is live at this moment.

        It is complete, its heartbeat advances, it shuts strangers out, and it acknowledges a write. What it holds is noted
        in its record, unless `note` forbids it: a refusal that touched nothing changes nothing.

        Raises `NotLive`.
        """
        recalled = self._recall()
        if not recalled:
            raise NotLive(f"no release is live in {self.name}")
        custody = self._custody(recalled)
        if lost := custody.gone():
            raise NotLive(str(lost), recalled.release)
        statefulset = recalled.statefulset()
        seen = causes.Observation(
            self.kube.get(*key(statefulset), self.name), self.kube.list("Pod", self.name)
        )
        if not is_ready(seen):
            raise NotLive(causes.explain(seen).detail, recalled.release)
        try:
            with self.health_check(
                recalled, custody.expectation(recalled.objects, spared=True)
            ) as health_check:
                health_check.heartbeat_advances()
                health_check.rejects_anonymous()
                health_check.holdings()
                health_check.acknowledges_write()
        except (Lost, Unreadable) as missing:
            found = custody.explain(Finding(missing.cause, str(missing)), spared=True)
            raise NotLive(str(found), recalled.release) from missing
        except (NotYet, NeverWill) as error:
            raise NotLive(str(error), recalled.release) from error
        if note:
            with suppress(ApiError):  # who may only look goes without a record of it
                custody.remember()
        return recalled

    def as_seen_by(self, progress: Callable[[str], None], deadlines: Deadlines | None = None) -> Namespace:
        """Return the same namespace for another operator, who sees the progress there, and may be less patient."""
        return self._like(_progress=progress, _deadlines=deadlines or self._deadlines)

    def with_token(self, token: str) -> Namespace:
        """Return the same namespace for an operator whose environment holds another token."""
        return self._like(inventory=self.inventory.with_token(token))

    def spoiling(self, fault: Fault) -> Namespace:
        """Return the same namespace for an operator who makes a mistake: it spoils whatever is applied there."""
        return self._like(_fault_of=lambda _release: fault)

    def going_back(self) -> Namespace:
        """Return the same namespace for an operator who accepts an older version over the data of a newer one."""
        return self._like(_accept_downgrade=True)

    def _like(self, **changed: object) -> Namespace:
        twin = copy(self)
        vars(twin).update(changed, _known=None, _refused=None)
        return twin

    def progress(self, line: str) -> None:
        """Tell of progress here."""
        self._progress(line)

    def recalled(self) -> Live | None:
        """Return the release that was live here last, whether it lives or not; None when there is none."""
        return self._recall()

    def scale(self, live: Live, replicas: int) -> Object:
        """Give a release so many pods, no matter who has set their number, and return its StatefulSet; raises `ApiError`."""
        return self.kube.patch(*key(live.statefulset()), self.name, {"spec": {"replicas": replicas}})

    def _scale_back(self, former: Live, replicas: int) -> Object:
        """Give a release its pods back by an apply, so that the next one changes nothing, unless others own a field of it."""
        stated = former.statefulset()
        if stated["spec"].get("replicas") == replicas:
            with suppress(ApiError):
                return self.kube.apply(stated)
        return self.scale(former, replicas)

    def watched_over(self, known: Live) -> Custody:
        """Look at what the live release holds, before its pod is ended, and return what takes care of that."""
        custody = self._custody(known)
        self._look(known, custody)
        return custody

    def revive(self, former: Live, replicas: int, custody: Custody) -> Finding | None:
        """Give a release its pods back, as it was live here, with what it held; return why it does not live again."""
        expected = custody.expectation(former.objects, spared=True)
        with Watch(self.kube, KINDS, self.name) as watch, self.health_check(former, expected) as health_check:
            monitor = RolloutMonitor(watch, self._deadlines, self._progress)
            try:
                finding = monitor.wait_until_live(self._scale_back(former, replicas), health_check)
            except ApiError as error:
                return rejection(error)
        finding = custody.explain(finding, spared=True) if finding else None
        if not finding:
            custody.remember()
            self._know(former)
        return finding

    def backed_up(self, known: Live, made: str) -> None:
        """Remember when the data of a release was backed up."""
        self._custody(known).backed_up(known.objects, made)

    def rendered(self, release: Release) -> Live:
        """Return what a release would be here, without applying it."""
        return self._live(release, self._render(release))

    def create_claims(self, release: Release) -> None:
        """Apply of a release only what holds its data: the namespace and the claim."""
        create_claims(self.kube, self._render(release))

    def roll_back(self, *, remove_data: bool = False) -> RollBack:
        """Remove everything of the release, wait until it is gone, and say what stays.

        The claim stays with its data, and the namespace around it. With `remove_data` they go as well, and where there is
        no claim, there is nothing to stay for; a namespace stays that the suite did not make, or in which there is
        anything of somebody else. However far a deployment came, and however often it is done, it is harmless.

        Raises `ObstructedError` where data that is to stay would go with the pod, or where something is being deleted
        already and does not go; then nothing is touched. Raises `Timeout` that names what is not gone, or `ApiError`.
        """
        self._known = None
        look = partial(precheck.of_roll_back, self.kube, self.name, remove_data=remove_data)
        if hindered := precheck.lasting(look, self._deadlines, self._progress):
            raise ObstructedError(hindered)
        return self._remove(remove_data=remove_data)

    def _remove(self, *, remove_data: bool) -> RollBack:
        there = removal.owned(self.kube, self.name)
        going = [obj for obj in there if remove_data or not is_claim(obj)]
        left = self._clear(going, namespace=not any(is_claim(obj) for obj in there if obj not in going))
        kept = {key(obj) for obj in removal.owned(self.kube, self.name)}
        return RollBack(
            removed=_named(key(obj) for obj in there if key(obj) not in kept),
            kept=_named(key(obj) for obj in there if key(obj) in kept),
            left=left,
            code_server=self._update_code_server(),
        )

    def discard(self) -> None:
        """Ask for the end of a throw-away namespace and of all that the suite has in it, without waiting for it."""
        self._known = None
        there = self.kube.get("Namespace", self.name)
        if there and is_throw_away(there, self._place.run_id):
            objects = removal.owned(self.kube, self.name)
            self.kube.delete("Namespace", self.name)
            removal.ask_for_removal(self.kube, self.name, objects, grace=1)

    def versions(self) -> dict[Key, str]:
        """Return the resourceVersion of every object of the suite in the namespace, and its own, by kind and name."""
        return _versions(removal.owned(self.kube, self.name))

    def health_check(self, of: Live | None = None, expected: Expectation | None = None) -> HealthCheck:
        """Return what looks whether a release here lives, and holds what is `expected`; a context manager.

        It shows the token that the release was deployed with, or without a release that of the inventory.
        """
        token = of.token if of else self.inventory.admin_password
        accept_insecure = self._accept_insecure(of.release) if of else None
        return HealthCheck(self.host, self.inventory, token, self._deadlines, accept_insecure, expected)

    def _custody(self, former: Live | None) -> Custody:
        return Custody(self.kube, self.name, former.objects if former else [], self._progress)

    def _update_code_server(self) -> str:
        """Let the shells of code-server know what lives here now; return in a sentence what came of it."""
        if not self._place.announced:
            return ""
        problem = code_server.update(self.kube, self.name, self._deadlines.answer)
        self._progress(problem)
        return problem

    def _render(self, release: Release, changes: Sequence[Patch] = ()) -> Objects:
        tls = platform_certificate(self.kube, self.inventory)
        objects = render(release, self.inventory, self._place, tls)
        fault = self._fault_of(release)
        spoiled = fault.spoil(objects) if fault else objects
        for change in changes:
            spoiled = change.apply(spoiled)
        return [obj for obj in spoiled if self._place.announced or not is_announcement(obj)]

    def _recall(self) -> Live | None:
        recalled = last_live.recall(self.kube, self.name)
        return self._live(*recalled) if recalled else None

    def _live(self, release: Release, objects: Objects, token: SecretStr | None = None) -> Live:
        shown = token or self.inventory.admin_password
        return Live(self.kube, self.inventory, self._place, release, objects, shown)

    def _forbid(self, release: Release, objects: Objects, custody: Custody) -> Finding | None:
        """Tell what is known to be wrong with a release, or for the data; return why it must not be deployed at all."""
        for describe in (*lint.check(release, objects), *custody.remarks(objects)):
            self._progress(f'release "{release.name}": {describe}')
        return self.forbids(release) or custody.forbids(objects, accept_downgrade=self._accept_downgrade)

    def _unnamed(self) -> Finding | None:
        """Return that the host of a release that was live has lost its address: nothing that replaces it could be proved."""
        why = nameless(self.host, self.inventory.ingress_address)
        return causes.Finding(causes.Cause.NAMELESS, why) if why else None

    def _prepare(self, monitor: RolloutMonitor, objects: Objects, former: Live | None) -> Finding | None:
        """Look whether a release that nothing speaks against can go live, before anything is touched; return why not."""
        try:
            if hindered := self._hindered(objects):
                return causes.ending(*precheck.summary(hindered))
            dry_run(self.kube, objects, self._deadlines, monitor, replacing=former is not None)
            return prepull(self.kube, objects, former.objects, monitor) if former else None
        except ApiError as error:
            return rejection(error)

    def _look(self, known: Live, custody: Custody) -> None:
        with self.health_check(known) as health_check:
            custody.look(health_check)

    def _deploy(
        self, monitor: RolloutMonitor, applied: Live, former: Live | None, custody: Custody
    ) -> Finding | None:
        """Apply a release and follow it until it is live and recorded; return why it cannot be."""
        if former:
            self._look(former, custody)
        if finding := self._put(monitor, applied, custody):
            return finding
        try:
            last_live.remember(self.kube, self._place, applied.release, applied.objects, applied.token)
        except ApiError as error:
            return rejection(error)
        return None

    def _hindered(self, objects: Objects) -> list[Obstacle]:
        """Return what an apply of some objects would need and cannot keep; what goes by itself is waited for."""
        return precheck.lasting(
            partial(precheck.of_apply, self.kube, self.name, objects), self._deadlines, self._progress
        )

    def _lost(self, there: Objects) -> Finding | None:
        """Return that a claim is gone that was there when a release was applied; None where all still are."""
        gone = precheck.lost(there, precheck.observe(self.kube, self.name))
        return causes.ending(*precheck.summary(gone)) if gone else None

    def _put(
        self, monitor: RolloutMonitor, live: Live, custody: Custody, *, brought_back: bool = False
    ) -> Finding | None:
        try:
            custody.begin(live.objects)
            with self.health_check(
                live, custody.expectation(live.objects, spared=brought_back)
            ) as health_check:
                finding = apply_objects(self.kube, live.objects, monitor, health_check)
            finding = inquiry.closer(self.kube, self.name, finding) if finding else None
        except ApiError as error:
            return rejection(error)
        return custody.explain(finding, spared=brought_back) if finding else None

    def _give_way(
        self, monitor: RolloutMonitor, former: Live | None, there: Objects, finding: Finding, custody: Custody
    ) -> Live | None:
        """Let a refused release give way to the one before it, or to nothing; return that one where it lives."""
        if going := precheck.observe(self.kube, self.name).lost_with_the_pod():
            # Whatever is done now ends the pod, and with it the data.
            self._progress(f"nothing is taken back: {precheck.summary(going)[0]}")
            return None
        live = former and self._restore(monitor, former, finding, custody)
        before = _versions(there)
        self._clear(self._leftovers(before, former), namespace=("Namespace", self.name) not in before)
        return live

    def _restore(
        self, monitor: RolloutMonitor, former: Live, finding: Finding, custody: Custody
    ) -> Live | None:
        """Bring the release back that was live before; None, with a line of progress, when that fails as well.

        It is not waited for where it would need just what has kept the refused one from going live, and nothing is made
        in place of what is gone.
        """
        if finding.cause is causes.Cause.ENDING:
            reapply(self.kube, [obj for obj in former.objects if not is_claim(obj)])
            self._progress(
                f'release "{former.release.name}" is put back, and waits for the same: {finding.detail}'
            )
            return None
        if why := custody.gone() or self._put(monitor, former, custody, brought_back=True):
            self._progress(f'release "{former.release.name}" cannot go live again: {why}')
            return None
        return former

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
        if stale:
            owned = removal.owned(self.kube, self.name)
            self._clear([obj for obj in owned if key(obj) in stale and not is_claim(obj)])

    def _clear(self, objects: Objects, *, namespace: bool = False) -> tuple[str, ...]:
        """Remove objects, and on demand the `namespace` too, if it is ours and holds nothing of anybody else.

        What is left behind is reported, and returned: a line each, with the command that removes it.
        """
        inside = [obj for obj in objects if obj["kind"] != "Namespace"]
        there = self.kube.get("Namespace", self.name) if namespace else None
        why = removal.why_stays(there, removal.foreign(self.kube, self.name)) if there else ""
        left = (*([why] if why else ()), *map(volumes.described, volumes.kept(self.kube, inside)))
        if there and not why:
            removal.remove_namespace(self.kube, self.name, inside, self._deadlines)
        else:
            removal.remove(self.kube, self.name, inside, self._deadlines)
        for line in left:
            self._progress(line)
        return left

    def _changed_since(self, before: dict[Key, str]) -> tuple[str, ...]:
        after = self.versions()
        return _named(
            each for each in sorted(before.keys() | after.keys()) if before.get(each) != after.get(each)
        )

    def _know(self, live: Live) -> None:
        self._known = live, self._version(live)

    def _version(self, live: Live) -> str:
        stored = self.kube.get(*key(live.statefulset()), self.name)
        return stored["metadata"]["resourceVersion"] if stored else ""


def _versions(objects: Objects) -> dict[Key, str]:
    return {key(obj): obj["metadata"]["resourceVersion"] for obj in objects}


def _named(keys: Iterable[Key]) -> tuple[str, ...]:
    return tuple(f"{kind} {name}" for kind, name in keys)
