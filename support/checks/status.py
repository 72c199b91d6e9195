"""Demands of a status that it tells what is so."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from support.commands import status as command
from support.core.redaction import Redactor
from support.deploy import status as deploy_status
from support.deploy.ways_in import POD

if TYPE_CHECKING:
    from pydantic import SecretStr

    from support.deploy.live import Live
    from support.deploy.status import Collection, Status
    from support.release.release import Release


def assert_live(told: Status, release: Release) -> None:
    """Assert that a status tells a release that is live."""
    assert told.live, f"told as not live: {told.why}"
    assert told.release == release.name, f"told is the release {told.release!r} instead of {release.name!r}"
    assert told.heartbeat, "no heartbeat is told"
    assert told.exit_code == 0, f"a live release ends the command with {told.exit_code}"


def assert_runs(told: Status, release: Release) -> None:
    """Assert that a status tells one pod that is ready, a StatefulSet that is rolled out, and the release's claim as bound."""
    assert [pod.ready for pod in told.pods if pod.name == POD] == [True], f"told pods: {told.pods}"
    assert told.statefulset, "no StatefulSet is told"
    assert told.statefulset.settled, f"told is {told.statefulset}"
    bound = [claim.name for claim in told.claims if claim.phase == "Bound"]
    assert bound == [release.claim.name], f"told claims: {told.claims}"


def assert_announced(told: Status, live: Live) -> None:
    """Assert that a status tells the address that users have, the form the release asks for, and that the platform likes it."""
    assert told.endpoints.get("users") == f"https://{live.host}", f"told: {told.endpoints}"
    promised = deploy_status.Announcement(live.release.discovery, "healthy")
    assert told.announcement == promised, f"promised: {promised}\nseen:     {told.announcement}"


def assert_told(told: Status, collection: Collection) -> None:
    """Assert that a status tells a collection with its count and its metadata."""
    seen = [
        one for one in told.collections if (one.database, one.name) == (collection.database, collection.name)
    ]
    assert seen == [collection], (
        f"promised: {collection}\nseen:     {seen or told.unread or 'no such collection'}"
    )


def assert_same_in_every_form(told: Status) -> None:
    """Assert that a program reads all of a status, and that people read in its first line that the release is live."""
    for_programs = json.loads(command.told(told, "json"))
    assert for_programs == json.loads(json.dumps(dataclasses.asdict(told))), for_programs
    first = command.told(told, "text").splitlines()[0]
    assert first.endswith(f"in {told.namespace}: live"), first


def assert_token_unspoken(told: Status, token: SecretStr) -> None:
    """Assert that no form of a status holds the token in any form."""
    redactor = Redactor()
    redactor.learn(token)
    for form in command.FORMS:
        text = command.told(told, form)
        assert redactor.text(text) == text, f"the status as {form} holds the token"


def assert_not_live(told: Status, why: str) -> None:
    """Assert that a status tells that nothing is live, why, and ends the command accordingly."""
    assert not told.live, "told as live"
    assert why in told.why, f"promised: {why}\nseen:     {told.why}"
    assert told.exit_code == 1, f"what is not live ends the command with {told.exit_code}"


def assert_told_how_to_switch_on(told: Status) -> None:
    """Assert that a status tells the command that gives a release its pod back."""
    promised = f"`kubectl -n {told.namespace} scale statefulset chroma --replicas=1`"
    assert promised in told.remedy, f"promised: {promised}\nseen:     {told.remedy or 'nothing to do'}"


def assert_claim_is_warned_of(told: Status, release: Release) -> None:
    """Assert that a status warns of a claim that is being deleted, marks it, and says how to keep its volume."""
    (warning,) = told.warnings
    for phrase in (
        f"PersistentVolumeClaim {release.claim.name}",
        "is being deleted since",
        "kubectl patch pv",
    ):
        assert phrase in warning, f"promised: {phrase}\nseen:     {warning}"
    marked = [claim.name for claim in told.claims if claim.being_deleted]
    assert marked == [release.claim.name], f"promised: the claim is marked\nseen:     {told.claims}"
