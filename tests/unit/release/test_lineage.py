"""Who has written a claim's data, and what the next version means for it."""

from __future__ import annotations

from typing import Any

import pytest

from support.diagnosis.findings import Cause
from support.release import lineage
from support.release.lineage import Lineage

OLD, NEW, UNKNOWN = "chroma:0.5.23", "chroma:1.5.9", "chroma:latest"


def claim(*written: Lineage) -> dict[str, Any]:
    return {
        "kind": "PersistentVolumeClaim",
        **{k: v for one in written for k, v in lineage.annotation(one).items()},
    }


def objects(image: str) -> list[dict[str, Any]]:
    containers = [{"name": "proxy", "image": "proxy:1"}, {"name": "chroma", "image": image}]
    return [{"kind": "StatefulSet", "spec": {"template": {"spec": {"containers": containers}}}}]


def test_the_claim_says_who_wrote_it_and_when_it_was_backed_up() -> None:
    written = Lineage((OLD, NEW), "2026-01-01T00:00:00+00:00")
    assert lineage.of_claim(claim(written), []) == written


def test_a_claim_that_does_not_say_was_written_by_the_release_before() -> None:
    assert lineage.of_claim(claim(), objects(f"registry.example.com:5000/library/{OLD}")).last == OLD


def test_where_there_is_no_claim_nobody_has_written() -> None:
    assert lineage.of_claim(None, objects(OLD)).last is None


@pytest.mark.parametrize("text", ["no json", '"a word"', "{}"])
def test_what_somebody_else_wrote_there_is_no_version(text: str) -> None:
    strange = {"metadata": {"annotations": {"chroma-conformance/written-by": text}}}
    assert lineage.of_claim(strange, []).last is None


@pytest.mark.parametrize(
    ("writers", "image", "forbidden"),
    [
        ((), OLD, False),
        ((OLD,), OLD, False),
        ((OLD,), NEW, False),
        ((OLD, NEW), NEW, False),
        ((OLD, NEW), OLD, True),
        ((OLD, NEW), "chroma:1.5.8", True),
        ((NEW,), "chroma:1.5.10", False),
        # It gave way, and the older one has been live since.
        ((OLD, NEW, OLD), OLD, False),
        ((NEW,), UNKNOWN, False),
        ((UNKNOWN,), OLD, False),
    ],
)
def test_only_what_is_known_to_be_below_the_last_writer_is_forbidden(
    writers: tuple[str, ...], image: str, *, forbidden: bool
) -> None:
    finding = Lineage(writers).forbids(image)
    assert (finding is not None) is forbidden
    if finding:
        assert finding.kind is Cause.OLDER
        assert "--accept-downgrade" in finding.remedy


@pytest.mark.parametrize(
    ("writers", "image", "told"),
    [
        ((OLD,), NEW, "cannot be undone"),
        ((OLD, NEW, OLD), NEW, "has had it before and was refused"),
        ((OLD, NEW, OLD), OLD, f"{NEW} has had this data"),
        ((OLD, NEW), OLD, "would go back"),
        ((NEW,), UNKNOWN, "nobody can tell"),
    ],
)
def test_a_change_of_the_version_is_told_with_the_backup_that_there_is(
    writers: tuple[str, ...], image: str, told: str
) -> None:
    (without,) = Lineage(writers).remarks(image)
    (with_one,) = Lineage(writers, "2026-01-01T00:00:00+00:00").remarks(image)
    assert told in without
    assert "no backup of it is known" in without
    assert "2026-01-01" in with_one


@pytest.mark.parametrize("writers", [(), (NEW,), (OLD, NEW)])
def test_where_no_version_changes_nothing_is_told(writers: tuple[str, ...]) -> None:
    assert Lineage(writers).remarks(NEW) == ()
    assert Lineage(writers).then(NEW).last == NEW


def test_not_every_attempt_is_remembered_for_ever() -> None:
    written = Lineage()
    for _ in range(100):
        written = written.then(OLD).then(NEW)
    assert len(written.writers) <= 10
    assert written.last == NEW
