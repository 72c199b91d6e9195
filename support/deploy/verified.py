"""A namespace whose release is verified as it lives: it is proved live by looking alone, and never applied."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from support.deploy.liveness import NeverWill, NotYet
from support.deploy.namespace import Namespace
from support.deploy.results import NotLive
from support.deploy.rollout import is_ready
from support.diagnosis import causes
from support.diagnosis.observation import Observation
from support.kube.objects import key

if TYPE_CHECKING:
    from pydantic import SecretStr

    from support.deploy.live import Live
    from support.release.release import Release


class VerifiedNamespace(Namespace):
    """The namespace of a release that somebody uses: who asks for the release gets it as it lives, or learns why it does not."""

    _failed: tuple[NotLive, str] | None = None

    def ensure_live(self, release: Release) -> Live:
        """Return the release as it lives, under the token that the inventory has; raises `NotLive`.

        Cheap as long as its StatefulSet is as it was at the last look, whatever that look has found.
        """
        recalled = self.recalled()
        version = self._version(recalled) if recalled else ""
        if self._known and self._known[0].release == release and self._known[1] == version:
            return self._known[0]
        if self._failed and self._failed[1] == version:
            raise self._failed[0]
        try:
            live = self._prove(self.inventory.admin_password)
        except NotLive as error:
            self._failed = error, version
            raise
        self._know(live)
        return live

    def prove_live(self, *, note: bool = True) -> Live:
        """Return the release that is live at this moment, under the token that it was deployed with; raises `NotLive`.

        It is complete, its heartbeat advances, it shuts strangers out, and it takes the token. Nothing is written: neither
        into the release, nor into its record.
        """
        del note
        return self._prove()

    def _prove(self, token: SecretStr | None = None) -> Live:
        recalled = self.recalled()
        if not recalled:
            raise NotLive(f"no release of this suite is recorded in {self.name}")
        live = replace(recalled, token=token or recalled.token)
        statefulset = live.statefulset()
        seen = Observation(self.kube.get(*key(statefulset), self.name), self.kube.list("Pod", self.name))
        if not is_ready(seen):
            raise NotLive(causes.explain(seen).detail, live.release)
        try:
            with self.health_check(live) as health_check:
                health_check.heartbeat_advances()
                health_check.rejects_anonymous()
                health_check.accepts_token()
        except (NotYet, NeverWill) as error:
            raise NotLive(str(error), live.release, error.symptom) from error
        return live

    def live(self, *, note: bool = True) -> Live | None:
        """Return the release that is live at this moment, None when there is none."""
        try:
            return self.prove_live(note=note)
        except NotLive:
            return None
