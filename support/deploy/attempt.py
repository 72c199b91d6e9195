"""One apply of a release: looks before it touches, follows the release until it is live, or lets it give way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from support.deploy import clearance, history, last_live, precheck, proof
from support.deploy.apply import apply_objects, dry_run, prepull, reapply
from support.deploy.clearance import Clearance
from support.deploy.objects import is_claim
from support.diagnosis import causes, inquiry
from support.diagnosis.causes import rejection
from support.diagnosis.findings import Cause, Finding
from support.kube.errors import ApiError

if TYPE_CHECKING:
    from support.deploy.custody import Custody
    from support.deploy.live import Live
    from support.deploy.precheck import Obstacle
    from support.deploy.rollout import RolloutMonitor
    from support.deploy.site import Site
    from support.kube.objects import Key, Objects
    from support.kube.watch import Watch


class Attempt:
    """An apply of a release to a namespace, which is watched meanwhile; what was there before it is noted first.

    `hindered` only looks, and `deploy` touches. Then comes `succeed`, or `give_way`.
    """

    def __init__(self, site: Site, watch: Watch, applied: Live) -> None:
        self._site = site
        self._watch = watch
        self._applied = applied
        self._clearance = Clearance(site)
        self._there = self._clearance.owned()
        self._monitor = site.monitor(watch)
        self._touched = False
        self.former = site.recall()
        self.custody = site.custody(self.former)

    @property
    def seconds(self) -> dict[str, float]:
        """The seconds from the apply to each stage."""
        return self._monitor.seconds

    def hindered(self) -> Finding | None:
        """Look whether a release that nothing speaks against can go live, before anything is touched; return why not."""
        objects, former = self._applied.objects, self.former
        if former and (nameless := self._site.nameless()):
            return nameless
        try:
            if unexposed := self._site.unexposed(objects):
                return unexposed
            if found := self._obstacles(objects):
                return causes.ending(*precheck.summary(found))
            dry_run(
                self._site.kube, objects, self._site.deadlines, self._monitor, replacing=former is not None
            )
            return prepull(self._site.kube, objects, former.objects, self._monitor) if former else None
        except ApiError as error:
            return rejection(error)

    def deploy(self) -> Finding | None:
        """Apply the release and follow it until it is live and recorded; return why it cannot be."""
        self._touched = True
        if self.former:
            look(self._site, self.former, self.custody)
        if finding := self._put(self._monitor, self._applied):
            return finding
        live = self._applied
        try:
            last_live.remember(self._site.kube, self._site.place, live.release, live.objects, live.token)
            history.note(self.former, live)
        except ApiError as error:
            return rejection(error)
        return None

    def succeed(self) -> Live:
        """Note that the release is live, remove what only the one before it had, and return it."""
        self._monitor.mark("live")
        seconds = self._monitor.seconds["live"]
        self._site.progress(f'release "{self._applied.release.name}" is live after {seconds:.1f} s')
        self._clearance.superseded(self.former, self._applied.objects)
        return self._applied

    def refuse(self, finding: Finding) -> Finding:
        """Note that the release is refused, and return why: that its data is gone comes before anything else."""
        self._monitor.mark("refused")
        gone = precheck.lost(self._there, precheck.observe(self._site.kube, self._site.name))
        return causes.ending(*precheck.summary(gone)) if gone else finding

    def give_way(self, finding: Finding) -> Live | None:
        """Let the refused release give way to the one before it, or to nothing; return that one where it lives."""
        self.custody.settle(self._applied.objects)
        former = self.former
        if finding.kind is Cause.TAKEN_AWAY:
            # Who rolled it back wants nothing of it here, nor of the one before it.
            former = None
            self._clearance.everything(remove_data=False)
        before_it = f'release "{former.release.name}"' if former else "nothing"
        why = f"{finding.kind}: {finding.detail}"  # what to do is told where the apply ends
        self._site.progress(f'release "{self._applied.release.name}" gives way to {before_it}: {why}')
        if self._touched:
            live = self._take_back(former, finding)
        else:
            live = former and proof.live(self._site, note=False)
            self.leave_alone()
        self._monitor.mark("gave way")
        return live

    def changed(self) -> tuple[str, ...]:
        """Name the objects ("kind name") that are not as they were before: made, changed or gone."""
        return clearance.changed(self._before(), clearance.versions(self._clearance.owned()))

    def _before(self) -> dict[Key, str]:
        return clearance.versions(self._there)

    def _obstacles(self, objects: Objects) -> list[Obstacle]:
        """Return what an apply of some objects would need and cannot keep; what goes by itself is waited for."""
        return precheck.lasting(
            partial(precheck.of_apply, self._site.kube, self._site.name, objects),
            self._site.deadlines,
            self._site.progress,
        )

    def leave_alone(self) -> None:
        """Remove what the look before the act has made; nothing else was touched."""
        self._clearance.leftovers(self._before(), self.former)

    def _take_back(self, former: Live | None, finding: Finding) -> Live | None:
        if going := precheck.observe(self._site.kube, self._site.name).lost_with_the_pod():
            # Whatever is done now ends the pod, and with it the data.
            self._site.progress(f"nothing is taken back: {precheck.summary(going)[0]}")
            return None
        live = former and self._restore(former, finding)
        self._clearance.leftovers(self._before(), former)
        return live

    def _restore(self, former: Live, finding: Finding) -> Live | None:
        """Bring the release back that was live before; None, with a line of progress, when that fails as well.

        It is not waited for where it would need just what has kept the refused one from going live, and nothing is made
        in place of what is gone.
        """
        name = former.release.name
        if finding.kind is Cause.ENDING:
            reapply(self._site.kube, [obj for obj in former.objects if not is_claim(obj)])
            self._site.progress(f'release "{name}" is put back, and waits for the same: {finding.detail}')
            return None
        monitor = self._site.monitor(self._watch, named=True)
        if why := self.custody.gone() or self._put(monitor, former, brought_back=True):
            self._site.progress(f'release "{name}" cannot go live again: {why}')
            return None
        return former

    def _put(self, monitor: RolloutMonitor, live: Live, *, brought_back: bool = False) -> Finding | None:
        kube = self._site.kube
        try:
            self.custody.begin(live.objects)
            expected = self.custody.expectation(live.objects, spared=brought_back)
            with self._site.health_check(live, expected) as health_check:
                finding = apply_objects(kube, live.objects, monitor, health_check)
            finding = inquiry.closer(kube, self._site.name, finding) if finding else None
        except ApiError as error:
            return rejection(error)
        return self.custody.explain(finding, spared=brought_back) if finding else None


def look(site: Site, known: Live, custody: Custody) -> None:
    """Let custody see what the live release holds, before its pod is ended."""
    with site.health_check(known) as health_check:
        custody.look(health_check)
