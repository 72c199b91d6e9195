"""The command that says how a release is: --status."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from support.deploy.status import observe
from support.deploy.token_seen import REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.commands.call import Call
    from support.deploy.status import Status
    from support.deploy.vitals import Amount, Vitals

_MIB: Final = 2**20
_GIB: Final = 2**30
_UNITS: Final = ((86400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))
# The forms in which a status is told, and the word by which --status goes on.
FORMS: Final = ("text", "json")
WATCH: Final = "watch"


def run(call: Call) -> int:
    """Say how the release is, in the form that is asked for; the exit code is 0 when it is live, else 1."""
    if call.argument == WATCH:
        from support.commands.follow import follow  # noqa: PLC0415 - one look does without

        return follow(call)
    status = observe(call.namespace)
    call.say(render_text(status, call.argument))
    return status.exit_code


def render_text(status: Status, form: str) -> str:
    """Return a status as a text for people, or as JSON for programs."""
    return json.dumps(dataclasses.asdict(status), indent=2) if form == "json" else "\n".join(_lines(status))


def _lines(status: Status) -> Iterator[str]:
    release = f'release "{status.release}" ({status.title})' if status.release else "no release"
    yield f"{release} in {status.namespace}: {_verdict(status)}"
    if status.remedy:
        yield f"to do        {status.remedy}"
    for warning in status.warnings:
        yield f"warning      {warning}"
    yield from _lines_of_pods(status)
    for claim in status.claims:
        parts = [claim.phase, claim.size, f"class {claim.storage_class}"]
        parts += (
            [f"volume {claim.volume} ({claim.reclaim_policy or 'unknown policy'})"] if claim.volume else []
        )
        parts += ["being deleted"] if claim.being_deleted else []
        yield f"claim        {claim.name}: {', '.join(parts)}"
    if status.vitals:
        yield from _lines_of_vitals(status.vitals)
    for whom, url in status.endpoints.items():
        yield f"endpoint     {url} ({whom})"
    if status.release:
        yield f"discovery    form: {status.announcement.form}; for the platform it is {status.announcement.health}"
        yield from _lines_of_collections(status)


def _lines_of_pods(status: Status) -> Iterator[str]:
    if status.heartbeat is not None:
        yield f"heartbeat    {status.heartbeat} ns"
    if status.vitals and status.vitals.since.at:
        yield f"live since   {status.vitals.since.at}"
    if one := status.statefulset:
        settled = "" if one.settled else ", not rolled out"
        yield f"StatefulSet  {one.name}: {one.ready} of {one.wanted} ready{settled}"
    for pod in status.pods:
        yield f"pod          {pod.name}: {pod.state}, {pod.restarts} restarts, on {pod.node or 'no node'}"


def _verdict(status: Status) -> str:
    if not status.live:
        return f"not live: {status.why}"
    seen = "live" if status.proved else "live, as far as can be seen without a token"
    return f"{seen}; it refuses the token that you gave" if status.token == REFUSED else seen


def _lines_of_vitals(vitals: Vitals) -> Iterator[str]:
    for container, image in vitals.images.items():
        yield f"image        {container}: {image}"
    yield f"memory       {_amount(vitals.memory)}"
    yield f"disk         {_amount(vitals.claim)}"
    if vitals.look:
        yield f"data         at the last start: {vitals.look}"
    certificate = vitals.certificate
    yield f"certificate  {f'ends {certificate.at}' if certificate.at else f'unknown: {certificate.unknown}'}"
    backup = vitals.backup
    yield f"backup       {f'unknown: {backup.unknown}' if backup.unknown else _age(backup.at) if backup.at else 'never'}"


def _amount(amount: Amount) -> str:
    if amount.used is None:
        return f"unknown: {amount.unknown}"
    limit = "without a limit" if amount.limit is None else f"of {_bytes(amount.limit)}"
    return f"{_bytes(amount.used)} {limit}" + (f" ({amount.source})" if amount.source else "")


def _bytes(number: int) -> str:
    """Return a number of bytes in the unit in which people state a limit."""
    if number < _GIB:
        return f"{number / _MIB:.0f} MiB"
    return f"{number / _GIB:.1f}".removesuffix(".0") + " GiB"


def _age(at: str) -> str:
    """Return how long ago a moment was, in the largest unit that it fills."""
    try:
        seconds = (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()
    except (ValueError, TypeError):
        return at
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
    number = int(max(0, seconds) // size)
    return f"{number} {unit.removesuffix('s') if number == 1 else unit} ago ({at})"


def _lines_of_collections(status: Status) -> Iterator[str]:
    if status.unread:
        yield f"collections  unknown: {status.unread}"
    elif not status.collections:
        yield "collections  none"
    for held in status.collections:
        count = "an unknown number of" if held.count is None else held.count
        metadata = json.dumps(held.metadata) if held.metadata else "none"
        yield f"collection   {held.database}/{held.name}: {count} records, metadata: {metadata}"
