"""Demands of a status that it tells what is so."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from support.commands import status as command
from support.core.component import AUTH_SECRET
from support.core.promises import PromiseBroken
from support.core.quantities import parse_quantity
from support.core.redaction import Redactor
from support.deploy import status as deploy_status
from support.deploy.token_seen import REFUSED
from support.deploy.ways_in import POD
from support.release import lineage, versions

if TYPE_CHECKING:
    from pydantic import SecretStr

    from support.deploy.live import Live
    from support.deploy.status import Collection, Status
    from support.deploy.vitals import Vitals
    from support.release.release import Release


def assert_live(status: Status, release: Release) -> None:
    """Assert that a status tells a release that is live."""
    assert status.live, f"reported as not live: {status.why}"
    assert status.release == release.name, (
        f"reported is the release {status.release!r} instead of {release.name!r}"
    )
    assert status.heartbeat, "no heartbeat is reported"
    assert status.exit_code == 0, f"a live release ends the command with {status.exit_code}"


def assert_runs(status: Status, release: Release) -> None:
    """Assert that a status tells one pod that is ready, a StatefulSet that is rolled out, and the release's claim as bound."""
    assert [pod.ready for pod in status.pods if pod.name == POD] == [True], f"reported pods: {status.pods}"
    assert status.statefulset, "no StatefulSet is reported"
    assert status.statefulset.settled, f"reported is {status.statefulset}"
    bound = [claim.name for claim in status.claims if claim.phase == "Bound"]
    assert bound == [release.claim.name], f"reported claims: {status.claims}"


def assert_announced(status: Status, live: Live) -> None:
    """Assert that a status tells the address that users have, the form the release asks for, and that the platform likes it."""
    assert status.endpoints.get("users") == f"https://{live.host}", f"reported: {status.endpoints}"
    promised = deploy_status.Announcement(live.release.discovery, "healthy")
    if status.announcement != promised:
        raise PromiseBroken(promised, status.announcement)


def assert_lists_collection(status: Status, collection: Collection) -> None:
    """Assert that a status tells a collection with its count and its metadata."""
    seen = [
        one
        for one in status.collections
        if (one.database, one.name) == (collection.database, collection.name)
    ]
    if seen != [collection]:
        raise PromiseBroken(collection, seen or status.unread or "no such collection")


def assert_same_in_every_form(status: Status) -> None:
    """Assert that a program reads all of a status, and that people read in its first line that the release is live."""
    for_programs = json.loads(command.render_text(status, "json"))
    assert for_programs == json.loads(json.dumps(dataclasses.asdict(status))), for_programs
    first = command.render_text(status, "text").splitlines()[0]
    assert first.endswith(f"in {status.namespace}: live"), first


def assert_shows_what_it_takes(status: Status, release: Release) -> None:
    """Assert that a status tells Chroma's image, how much memory it has of its limit, and how much of its disk is used."""
    vitals = _vitals(status)
    assert vitals.images.get("chroma", "").endswith(f"/{lineage.short(release.chroma.image)}"), vitals.images
    limit = int(parse_quantity(release.chroma.memory.limit))
    assert vitals.memory.used, f"no memory is reported: {vitals.memory.unknown}"
    assert vitals.memory.limit == limit, f"reported limit: {vitals.memory.limit}, promised: {limit}"
    assert vitals.memory.used < limit, f"reported: {vitals.memory}"
    assert vitals.claim.used, f"no disk is reported: {vitals.claim.unknown}"
    assert vitals.claim.limit, f"no size of the disk is reported: {vitals.claim}"
    assert vitals.claim.used <= vitals.claim.limit, f"reported: {vitals.claim}"
    if versions.keeps(release.chroma.image):
        assert " collections, " in vitals.look, f"what the last start found is reported as {vitals.look!r}"


def assert_shows_since_when(status: Status) -> None:
    """Assert that a status tells moments in their order: live since, now, the end of the certificate; no backup is "never"."""
    vitals, now = _vitals(status), datetime.now(UTC)
    since, end = (datetime.fromisoformat(one.at) for one in (vitals.since, vitals.certificate))
    assert since <= now < end, f"reported: since {since}, certificate until {end}; now it is {now}"
    told = "never" if not vitals.backup.at else vitals.backup.at
    lines = command.render_text(status, "text").splitlines()
    assert [line for line in lines if line.startswith("backup") and told in line], lines


def assert_refuses_token(status: Status) -> None:
    """Assert that a status tells a release that lives and refuses the token that was given, and ends accordingly."""
    assert status.live, f"reported as not live: {status.why}"
    assert status.token == REFUSED, f"the token is reported as {status.token}"
    assert status.exit_code == 1, f"a token that is refused ends the command with {status.exit_code}"
    first = command.render_text(status, "text").splitlines()[0]
    assert "not live" not in first, first
    assert first.endswith("live; it refuses the token that you gave"), first


def assert_says_how_to_get_token(status: Status) -> None:
    """Assert that a status tells the command that shows the token of a release."""
    promised = f"kubectl -n {status.namespace} get secret {AUTH_SECRET}"
    if not any(promised in warning for warning in status.warnings):
        raise PromiseBroken(promised, status.warnings)


def _vitals(status: Status) -> Vitals:
    assert status.vitals, "nothing is reported of what it takes"
    return status.vitals


def assert_token_unspoken(status: Status, token: SecretStr) -> None:
    """Assert that no form of a status holds the token in any form."""
    redactor = Redactor()
    redactor.learn(token)
    for form in command.FORMS:
        text = command.render_text(status, form)
        assert redactor.text(text) == text, f"the status as {form} holds the token"


def assert_not_live(status: Status, why: str) -> None:
    """Assert that a status tells that nothing is live, why, and ends the command accordingly."""
    assert not status.live, "reported as live"
    if why not in status.why:
        raise PromiseBroken(why, status.why)
    assert status.exit_code == 1, f"what is not live ends the command with {status.exit_code}"


def assert_says_how_to_switch_on(status: Status) -> None:
    """Assert that a status tells the command that gives a release its pod back."""
    promised = f"`kubectl -n {status.namespace} scale statefulset chroma --replicas=1`"
    if promised not in status.remedy:
        raise PromiseBroken(promised, status.remedy or "nothing to do")


def assert_claim_is_warned_of(status: Status, release: Release) -> None:
    """Assert that a status warns of a claim that is being deleted, marks it, and says how to keep its volume."""
    (warning,) = status.warnings
    for phrase in (
        f"PersistentVolumeClaim {release.claim.name}",
        "is being deleted since",
        "kubectl patch pv",
    ):
        if phrase not in warning:
            raise PromiseBroken(phrase, warning)
    marked = [claim.name for claim in status.claims if claim.being_deleted]
    if marked != [release.claim.name]:
        raise PromiseBroken("the claim is marked", status.claims)
