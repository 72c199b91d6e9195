"""Backups by Jobs: into a claim, of which the newest stay, and back from there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cluster import layout
from support.jobs.job import NAME
from tests.live.cluster.night import Users
from tests.live.jobs.inside import COMPLETE, FAILED

if TYPE_CHECKING:
    from tests.live.jobs.inside import Inside

pytestmark = pytest.mark.usefixtures("token")
CLAIM = "chroma-backups"
COPYING = ("--backup-claim", CLAIM)


@pytest.fixture(scope="module")
def claim(inside: Inside) -> None:
    """A claim for backups in the suite's namespace."""
    stated = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM, "namespace": NAME},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": layout.STORAGE_CLASS,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    inside.apply(json.dumps(stated))


@pytest.mark.usefixtures("claim")
def test_backups_go_to_a_claim_and_the_newest_comes_back(inside: Inside) -> None:
    made = []
    for _ in range(3):
        _, ended, log = inside.end("--backup", "/backups", "--keep", "2", *COPYING)
        assert ended in COMPLETE, log
        made += [line.partition(":")[0] for line in log.splitlines() if line.startswith("/backups/chroma-")]
        assert ("removed: " + made[0] in log) == (len(made) == 3), log
    users = Users(inside.site)
    with users.at_work():
        held = users.records()
    _, ended, log = inside.end("--backup", "/backups", "--keep", "2", *COPYING)
    assert ended in COMPLETE, log
    _, ended, log = inside.end("--restore", "/backups", *COPYING)
    assert ended in FAILED, log  # a release is there
    directory = inside.directory / "removed"
    code, said = inside.site.ask(inside.site.kubeconfig, directory, "--remove", "--remove-data", "--yes")
    assert code == 0, said
    _, ended, log = inside.end("--restore", "/backups", *COPYING)
    assert ended in COMPLETE, log
    assert users.records() == held
