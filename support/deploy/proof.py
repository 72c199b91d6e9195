"""The proof that a release is live at this moment, with the data that it held."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from support.deploy.liveness import Lost, NeverWill, NotYet, Unreadable
from support.deploy.results import NotLive
from support.deploy.rollout import is_ready
from support.diagnosis import causes
from support.diagnosis.findings import Finding
from support.diagnosis.observation import Observation
from support.kube.errors import ApiError
from support.kube.objects import key

if TYPE_CHECKING:
    from support.deploy.live import Live
    from support.deploy.site import Site


def live(site: Site, *, note: bool = True) -> Live | None:
    """Return the release that is live at this moment, None when there is none; `note` as in `prove_live`."""
    try:
        return prove_live(site, note=note)
    except NotLive:
        return None


def prove_live(site: Site, *, note: bool = True) -> Live:
    """Return the release that is live at this moment.

    It is complete, its heartbeat advances, it shuts strangers out, and it acknowledges a write. What it holds is noted
    in its record, unless `note` forbids it: a refusal that touched nothing changes nothing.

    Raises `NotLive`.
    """
    recalled = site.recall()
    if not recalled:
        raise NotLive(f"no release is live in {site.name}")
    custody = site.custody(recalled)
    if lost := custody.gone():
        raise NotLive(str(lost), recalled.release)
    statefulset = recalled.statefulset()
    seen = Observation(site.kube.get(*key(statefulset), site.name), site.kube.list("Pod", site.name))
    if not is_ready(seen):
        raise NotLive(causes.explain(seen).detail, recalled.release)
    try:
        with site.health_check(recalled, custody.expectation(recalled.objects, spared=True)) as health_check:
            health_check.heartbeat_advances()
            health_check.rejects_anonymous()
            health_check.holdings()
            # Of a release that lives already each look would leave an index on the claim (docs/persistence.md).
            health_check.acknowledges_write(indexed=False)
    except (Lost, Unreadable) as missing:
        found = custody.explain(Finding(missing.cause, str(missing)), spared=True)
        raise NotLive(str(found), recalled.release, missing.symptom) from missing
    except (NotYet, NeverWill) as error:
        raise NotLive(str(error), recalled.release, error.symptom) from error
    if note:
        with suppress(ApiError):  # who may only look goes without a record of it
            custody.remember()
    return recalled
