"""A namespace in which a release lives, as its operator handles it: plan, apply, look, and roll back."""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from support.deploy import clearance, last_live, plan, precheck, proof
from support.deploy.apply import create_claims
from support.deploy.attempt import Attempt, look
from support.deploy.clearance import Clearance
from support.deploy.objects import is_announcement
from support.deploy.precheck import ObstructedError
from support.deploy.results import Refused, RollBack, Rollout
from support.deploy.rollout import kinds
from support.diagnosis import causes
from support.diagnosis.causes import rejection
from support.kube.errors import ApiError
from support.kube.objects import key
from support.kube.watch import Watch
from support.platform import code_server
from support.platform.pull_secret import copied
from support.release import lint
from support.release.render import render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from support.core.wait import Deadlines
    from support.deploy.custody import Custody
    from support.deploy.live import Live
    from support.deploy.liveness import Expectation, HealthCheck
    from support.deploy.plan import Plan
    from support.deploy.site import Site
    from support.diagnosis.findings import Finding
    from support.kube.client import Kube
    from support.kube.objects import Key, Object, Objects
    from support.platform.inventory import Inventory
    from support.release.faults import Fault, Patch
    from support.release.release import Release


class Namespace:
    """A namespace as its operator handles it: what is applied to it, what lives in it, and how it is rolled back.

    `fault_of` says which fault spoils a release that is applied here. `on_refusal` is shown each refused release before it
    gives way: the cluster, the namespace's name, the objects. An insecure release is refused unless the site accepts it;
    one of an older version than the data's, unless `accept_downgrade`.
    """

    def __init__(
        self,
        site: Site,
        fault_of: Callable[[Release], Fault | None] = lambda _release: None,
        on_refusal: Callable[[Kube, str, Objects], None] = lambda _kube, _name, _rendered: None,
        *,
        accept_downgrade: bool = False,
    ) -> None:
        self.site = site
        self._fault_of = fault_of
        self._on_refusal = on_refusal
        self._accept_downgrade = accept_downgrade
        # What was seen live last, and the version that its StatefulSet had.
        self._known: tuple[Live, str] | None = None
        self._refused: Rollout | None = None

    @property
    def kube(self) -> Kube:
        """The cluster."""
        return self.site.kube

    @property
    def inventory(self) -> Inventory:
        """The platform."""
        return self.site.inventory

    @property
    def name(self) -> str:
        """The name of the namespace."""
        return self.site.name

    @property
    def host(self) -> str:
        """The host name that leads to it."""
        return self.site.place.host

    def plan(self, release: Release, changes: Sequence[Patch] = ()) -> Plan:
        """Return what an apply of a release, with some changes to its objects, would do; nothing is done.

        Raises `ApiError` when the API server fails, `LookupError` when the platform's certificate is missing.
        """
        objects = self._render(release, changes)
        former = self.site.recall()
        custody = self.site.custody(former)
        forbidden = custody.forbids(objects, accept_downgrade=self._accept_downgrade)
        found = plan.plan(
            self.kube,
            f'release "{release.name}"',
            self.name,
            [*objects, last_live.secret(self.site.place, release, objects, self.inventory.admin_password)],
            former.objects if former else [],
            seen=precheck.observe(self.kube, self.name),
        )
        before = tuple(map(str, filter(None, (forbidden, self.site.unexposed(objects)))))
        return replace(
            found,
            hindrances=(*before, *found.hindrances),
            warnings=(*custody.remarks(objects), *found.warnings),
            token_changes=bool(former and former.token != self.inventory.admin_password),
        )

    def forbids(self, release: Release) -> Finding | None:
        """Return why a release must not be deployed here at all, None where that is not known beforehand."""
        reason = lint.why_insecure(release)
        return causes.insecure(reason) if reason and self.site.accept_insecure(release) is None else None

    def apply(self, release: Release, changes: Sequence[Patch] = ()) -> Rollout:
        """Apply a release, with some changes to its objects, and wait until it is live, or refused and has given way.

        A refused release gives way to the last live one, and when there is none, to nothing: what it made is removed,
        and what was there before, data above all, stays. Applying a live release again changes no object.

        Raises `ApiError` when the API server fails, `LookupError` when the platform's certificate is missing.
        """
        self._known = self._refused = None
        objects = self._render(release, changes)
        with Watch(self.kube, kinds(objects), self.name) as watch:
            attempt = Attempt(self.site, watch, self.site.live(release, objects))
            finding = (
                self._forbid(release, objects, attempt.custody) or attempt.hindered() or attempt.deploy()
            )
            if finding is None:
                live: Live | None = attempt.succeed()
            else:
                finding = attempt.refuse(finding)
                self._on_refusal(self.kube, self.name, objects)
                live = attempt.give_way(finding)
        if live and not changes:
            self._know(live)
        changed = attempt.changed()
        if live:
            attempt.custody.remember()
        return Rollout(release, live, finding, changed, attempt.seconds, self._update_code_server())

    def hindrance(self, release: Release) -> Finding | None:
        """Return why a first apply of a release would be refused, as far as a look tells; nothing stays of the look.

        Raises as `apply` does.
        """
        objects = self._render(release)
        with Watch(self.kube, kinds(objects), self.name) as watch:
            attempt = Attempt(self.site, watch, self.site.live(release, objects))
            finding = self.forbids(release) or attempt.hindered()
            if finding:
                attempt.leave_alone()
        return finding

    def ensure_live(self, release: Release) -> Live:
        """Return the release as it lives, and apply it first unless it is live already.

        Cheap as long as its StatefulSet is as it was when it was last seen live: whatever happens to a pod shows there.
        A release that has been refused here is not applied again.

        Raises `Refused`.
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
        finding = self._refused.finding
        assert finding, f"what is not live was refused: {self._refused}"
        raise Refused(release, finding)

    def ensure_rolled_back(self, release: Release) -> None:
        """See to it that nothing is left of the release but its claim, with the data it had while it was live."""
        if not self.kube.get("PersistentVolumeClaim", release.claim.name, self.name):
            self.ensure_live(release)
        self.roll_back()

    def assert_live(self, release: Release, rollout: Rollout) -> None:
        """Assert that a release is live at this moment, after a rollout: its own, or that of a refused one."""
        if rollout.release == release and rollout.finding:
            raise Refused(release, rollout.finding)
        live = self.prove_live()
        assert live.release == release, f'release "{live.release.name}" is live instead of "{release.name}"'

    def live(self, *, note: bool = True) -> Live | None:
        """Return the release that is live at this moment, None when there is none; `note` as in `prove_live`."""
        return proof.live(self.site, note=note)

    def prove_live(self, *, note: bool = True) -> Live:
        """Return the release that is live at this moment, as `proof.prove_live` does; raises `NotLive`."""
        return proof.prove_live(self.site, note=note)

    def as_seen_by(self, progress: Callable[[str], None], deadlines: Deadlines | None = None) -> Namespace:
        """Return the same namespace for another operator, who sees the progress there, and may be less patient."""
        patience = deadlines or self.site.deadlines
        return self._like(site=replace(self.site, progress=progress, stages=None, deadlines=patience))

    def with_token(self, token: str) -> Namespace:
        """Return the same namespace for an operator whose environment holds another token."""
        return self._like(site=replace(self.site, inventory=self.inventory.with_token(token)))

    def on_platform(self, inventory: Inventory) -> Namespace:
        """Return the same namespace on a platform that has changed since."""
        return self._like(site=replace(self.site, inventory=inventory))

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
        self.site.progress(line)

    def recalled(self) -> Live | None:
        """Return the release that was live here last, whether it lives or not; None when there is none."""
        return self.site.recall()

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
        custody = self.site.custody(known)
        look(self.site, known, custody)
        return custody

    def revive(self, former: Live, replicas: int, custody: Custody) -> Finding | None:
        """Give a release its pods back, as it was live here, with what it held; return why it does not live again."""
        expected = custody.expectation(former.objects, spared=True)
        with (
            Watch(self.kube, kinds(former.objects), self.name) as watch,
            self.health_check(former, expected) as health_check,
        ):
            monitor = self.site.monitor(watch)
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
        self.site.custody(known).backed_up(known.objects, made)

    def rendered(self, release: Release) -> Live:
        """Return what a release would be here, without applying it."""
        return self.site.live(release, self._render(release))

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
        observe = partial(precheck.of_roll_back, self.kube, self.name, remove_data=remove_data)
        if hindered := precheck.lasting(observe, self.site.deadlines, self.site.progress):
            raise ObstructedError(hindered)
        removal = Clearance(self.site).everything(remove_data=remove_data)
        return replace(removal, code_server=self._update_code_server())

    def discard(self) -> None:
        """Ask for the end of a throw-away namespace and of all that the suite has in it, without waiting for it."""
        self._known = None
        Clearance(self.site).discard()

    def versions(self) -> dict[Key, str]:
        """Return the resourceVersion of every object of the suite in the namespace, and its own, by kind and name."""
        return clearance.versions(Clearance(self.site).owned())

    def health_check(self, of: Live | None = None, expected: Expectation | None = None) -> HealthCheck:
        """Return what looks whether a release here lives, as `Site.health_check` does."""
        return self.site.health_check(of, expected)

    def _update_code_server(self) -> str:
        """Let the shells of code-server know what lives here now; return in a sentence what came of it."""
        if not self.site.place.announced:
            return ""
        problem = code_server.update(self.kube, self.name, self.site.deadlines.answer)
        self.site.progress(problem)
        return problem

    def _render(self, release: Release, changes: Sequence[Patch] = ()) -> Objects:
        objects = render(release, self.inventory, self.site.place, *copied(self.kube, self.inventory))
        fault = self._fault_of(release)
        spoiled = fault.spoil(objects) if fault else objects
        for change in changes:
            spoiled = change.apply(spoiled)
        return [obj for obj in spoiled if self.site.place.announced or not is_announcement(obj)]

    def _forbid(self, release: Release, objects: Objects, custody: Custody) -> Finding | None:
        """Tell what is known to be wrong with a release, or for the data; return why it must not be deployed at all."""
        for describe in (*lint.check(release, objects), *custody.remarks(objects)):
            self.site.progress(f'release "{release.name}": {describe}')
        return self.forbids(release) or custody.forbids(objects, accept_downgrade=self._accept_downgrade)

    def _know(self, live: Live) -> None:
        self._known = live, self._version(live)

    def _version(self, live: Live) -> str:
        stored = self.kube.get(*key(live.statefulset()), self.name)
        return stored["metadata"]["resourceVersion"] if stored else ""
