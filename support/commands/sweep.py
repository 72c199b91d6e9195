"""The command that removes what dead runs have left: --sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.deploy.marks import Mark
from support.deploy.sweep import sweep

if TYPE_CHECKING:
    from support.commands.call import Call


def run(call: Call) -> int:
    """Remove what dead runs have left, and say what; the exit code is 1 where something could not be looked at or removed."""
    kube, inventory = call.namespace.kube, call.namespace.inventory
    with Mark(kube, inventory.certificate_namespace, call.run_id, call.deadlines) as mark:
        swept = sweep(kube, inventory, call.run_id, mark.renew(), call.deadlines)
    for line in swept.lines():
        call.say(line)
    if not swept.removed and not swept.left:
        call.say("nothing is left of any dead run")
    if swept.living:
        call.say(f"left alone, since they live: {', '.join(sorted(swept.living))}")
    return 1 if swept.left else 0
