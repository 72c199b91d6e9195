"""The command that says how a release is: --status."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Final

from support.deploy.status import observe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.commands.call import Call
    from support.deploy.status import Status

# What --status takes.
FORMS: Final = ("text", "json")


def run(call: Call) -> int:
    """Say how the release is, in the form that is asked for; the exit code is 0 when it is live, else 1."""
    status = observe(call.namespace)
    call.say(render_text(status, call.argument))
    return status.exit_code


def render_text(status: Status, form: str) -> str:
    """Return a status as a text for people, or as JSON for programs."""
    return json.dumps(dataclasses.asdict(status), indent=2) if form == "json" else "\n".join(_lines(status))


def _lines(status: Status) -> Iterator[str]:
    release = f'release "{status.release}" ({status.title})' if status.release else "no release"
    yield f"{release} in {status.namespace}: {'live' if status.live else f'not live: {status.why}'}"
    if status.remedy:
        yield f"to do        {status.remedy}"
    for warning in status.warnings:
        yield f"warning      {warning}"
    if status.heartbeat is not None:
        yield f"heartbeat    {status.heartbeat} ns"
    if one := status.statefulset:
        settled = "" if one.settled else ", not rolled out"
        yield f"StatefulSet  {one.name}: {one.ready} of {one.wanted} ready{settled}"
    for pod in status.pods:
        yield f"pod          {pod.name}: {pod.state}, {pod.restarts} restarts, on {pod.node or 'no node'}"
    for claim in status.claims:
        parts = [claim.phase, claim.size, f"class {claim.storage_class}"]
        parts += (
            [f"volume {claim.volume} ({claim.reclaim_policy or 'unknown policy'})"] if claim.volume else []
        )
        parts += ["being deleted"] if claim.being_deleted else []
        yield f"claim        {claim.name}: {', '.join(parts)}"
    for whom, url in status.endpoints.items():
        yield f"endpoint     {url} ({whom})"
    if status.release:
        yield f"discovery    form: {status.announcement.form}; for the platform it is {status.announcement.health}"
        yield from _lines_of_collections(status)


def _lines_of_collections(status: Status) -> Iterator[str]:
    if status.unread:
        yield f"collections  unknown: {status.unread}"
    elif not status.collections:
        yield "collections  none"
    for held in status.collections:
        count = "an unknown number of" if held.count is None else held.count
        metadata = json.dumps(held.metadata) if held.metadata else "none"
        yield f"collection   {held.database}/{held.name}: {count} records, metadata: {metadata}"
