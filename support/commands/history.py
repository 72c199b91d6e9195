"""The command that says what was live here: --history."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from support.deploy import history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.commands.call import Call
    from support.deploy.history import Revision


def run(call: Call) -> int:
    """Say which revisions were live here, the newest last, in the form that is asked for; 0 also where there are none."""
    there = history.recall(call.namespace.kube, call.namespace.name)
    if call.argument == "json":
        call.say(json.dumps([dataclasses.asdict(one) for one in there], indent=2))
        return 0
    if not there:
        call.say(f"no revision is recorded in {call.namespace.name}")
    for line in lines(there):
        call.say(line)
    return 0


def lines(revisions: list[Revision]) -> Iterator[str]:
    """Say of each revision what it was, when, by whom, and what it changed."""
    for one in revisions:
        yield f'{one.number:<4}{one.at}  release "{one.name}" ({", ".join(one.images)}), by {one.who}'
        yield from (f"{'':4}{each}" for each in one.changed)
    if len(revisions) > 1:
        yield f"the last of these was live last; `--back-to {revisions[-2].number}` applies the one before it again"
