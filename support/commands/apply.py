"""The commands that deploy: --apply, and --back-to a revision that was live before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.commands.notes import notes_of
from support.commands.plan import look
from support.commands.revision import of_revision
from support.release.catalogue import stated_by

if TYPE_CHECKING:
    from support.commands.call import Call
    from support.deploy.results import Rollout


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
        call.say(stated_by(former.release))
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
    """Apply the release of a revision that was live here, as `run` does; raises `NoRevisionError`, `NotConsentedError`."""
    return run(of_revision(call))


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
