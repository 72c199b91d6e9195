"""Turns a call for a revision that was live before into one for the release that it was."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from support.core.quantities import parse_quantity
from support.deploy import history
from support.release.catalogue import changed

if TYPE_CHECKING:
    from support.commands.call import Call
    from support.release.release import Release


def of_revision(call: Call) -> Call:
    """Return a call for the release of the revision that this one names, and say which it is; the token is the one of today.

    Raises `NoRevisionError`.
    """
    there = history.revision(call.namespace.kube, call.namespace.name, int(call.revision))
    call.say(
        f'back to revision {there.number}: release "{there.name}" ({", ".join(there.images)}), live since {there.at}'
    )
    release = there.release()
    now = call.namespace.recalled()
    if now and now.release.claim.name == release.claim.name and _is_larger(now.release, release):
        call.say(f"the claim keeps its size of {now.release.claim.size}: no claim shrinks")
        release = changed(release, [f"claim.size={now.release.claim.size}"])
    return dataclasses.replace(call, release=changed(release, call.changes), revision="")


def _is_larger(one: Release, other: Release) -> bool:
    return parse_quantity(one.claim.size) > parse_quantity(other.claim.size)
