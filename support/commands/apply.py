"""The commands that deploy: --apply, and --back-to a revision that was live before."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from support.commands.notes import notes_of
from support.commands.plan import look
from support.core.quantities import parse_quantity
from support.deploy import history
from support.release.catalogue import changed, options_of

if TYPE_CHECKING:
    from support.commands.call import Call
    from support.deploy.results import Rollout
    from support.release.release import Release


def run(call: Call) -> int:
    """Apply a release and prove it live: say first what changes, and ask where users would notice; 1 where it is refused.

    Raises `NotConsentedError`.
    """
    former = call.namespace.recalled()
    found = look(call, "nothing is applied")
    if found is None:
        return 1
    for line in found.lines(changes_only=True):
        call.say(line)
    if former and (found.obstacles() or found.consequences()):
        call.say(f"what lives is the release of {options_of(former.release) or 'no --release and no --set'}")
    if found.obstacles():
        return 1
    call.consent(found.consequences())
    rollout = call.namespace.apply(call.release)
    for line in described(rollout):
        call.say(line)
    if rollout.finding is None and rollout.live and former is None:
        for line in notes_of(rollout.live).lines():
            call.say(line)
    return 1 if rollout.finding else 0


def back_to(call: Call) -> int:
    """Apply the release of a revision that was live here, as `run` does; the token is the one of today.

    Raises `NoRevisionError` and `NotConsentedError`.
    """
    there = history.revision(call.namespace.kube, call.namespace.name, int(call.argument))
    call.say(
        f'back to revision {there.number}: release "{there.name}" ({", ".join(there.images)}), live since {there.at}'
    )
    release = there.release()
    now = call.namespace.recalled()
    if now and now.release.claim.name == release.claim.name and _is_larger(now.release, release):
        call.say(f"the claim keeps its size of {now.release.claim.size}: no claim shrinks")
        release = changed(release, [f"claim.size={now.release.claim.size}"])
    return run(dataclasses.replace(call, release=changed(release, call.changes)))


def _is_larger(one: Release, other: Release) -> bool:
    return parse_quantity(one.claim.size) > parse_quantity(other.claim.size)


def described(rollout: Rollout) -> list[str]:
    """Say how an apply went, with what to do where it was refused, and what lives now."""
    name = rollout.release.name
    if not rollout.finding:
        assert rollout.live, f"what was not refused is live: {rollout}"
        made = f"{len(rollout.changed)} objects changed" if rollout.changed else "nothing changed"
        return [
            f'release "{name}" is live at https://{rollout.live.host} after {rollout.seconds["live"]:.1f} s ({made})'
        ]
    now = (
        f'release "{rollout.live.release.name}" is live, as before'
        if rollout.live
        else "nothing is live here now"
    )
    return [
        f'error: release "{name}" is refused because {rollout.finding}',
        f"to do: {rollout.finding.remedy}",
        now,
    ]
