"""The command that takes a release away: --remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.deploy.removal_plan import plan_removal

if TYPE_CHECKING:
    from support.commands.call import Call


def run(call: Call) -> int:
    """Remove a release, and on demand its data: say first what goes and what stays, and ask where data would go.

    Nothing is deployed for it. Raises `NotConsentedError`, and as `Namespace.roll_back` does.
    """
    planned = plan_removal(call.namespace.site, remove_data=call.remove_data)
    for line in planned.lines():
        call.say(line)
    if not planned.goes:
        return 0
    call.consent(list(planned.data))
    done = call.namespace.roll_back(remove_data=call.remove_data)
    call.say(f"removed: {', '.join(done.removed)}")
    if done.kept:
        call.say(f"kept: {', '.join(done.kept)}")
    for line in done.left:
        call.say(f"left: {line}")
    return 0
