"""The command that says what an apply would do: --plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.commands.revision import of_revision
from support.kube.errors import ApiError
from support.release import lint
from support.release.catalogue import stated_by

if TYPE_CHECKING:
    from support.commands.call import Call
    from support.deploy.plan import Plan


def run(call: Call) -> int:
    """Say what an apply of a release would do; return 0 if it would not be refused, as far as is known, else 1."""
    if call.revision:
        call = of_revision(call)
    for problem in lint.check(call.release):
        call.say(f'release "{call.release.name}": {problem}')
    forbidden = call.namespace.forbids(call.release)
    found = look(call, "no plan can be made")
    if found is None:
        return 1
    for line in found.lines():
        call.say(line)
    former = call.namespace.recalled()
    if former and (found.obstacles() or found.consequences()):
        call.say(stated_by(former.release))
    if forbidden:
        call.say(
            "an apply would be refused, since anybody may use the release; --accept-insecure deploys it nevertheless"
        )
    return 1 if forbidden or found.obstacles() else 0


def look(call: Call, otherwise: str) -> Plan | None:
    """Return what an apply would do; where the cluster does not let us look, say that, and what `otherwise` is the case."""
    try:
        return call.namespace.plan(call.release)
    except ApiError as error:
        if error.unanswered:
            raise
        call.say(f"{otherwise}: the cluster refuses to look: {error.message}")
        return None
