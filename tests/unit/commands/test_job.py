"""The run in a Job is given what the command line has beyond the Job."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.commands import job
from support.commands.errand import Errand
from support.commands.job import passed_on, vantage_of
from support.jobs.files import JobError
from support.kube.errors import ApiError
from support.platform.pull_secret import KIND
from support.platform.rights import MODES

STATED = {
    "domain_name": "example.com",
    "harbor_registry": "harbor.example.com",
    "image_pull_secret": "registry",
}
SECRET = {"type": KIND, "data": {".dockerconfigjson": "e30="}}


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (["--job", "--inventory", "staging.yaml"], []),
        (["--job", "features/access.feature", "-m", "core"], ["features/access.feature", "-m", "core"]),
        (["--job", "--schedule=0 3 * * *", "--without", "disruptive"], ["--without", "disruptive"]),
        (["--job", "--kubeconfig", "a", "--context", "b", "--report-dir", "c", "--shards", "4"], []),
        (["--config-file", "/x/pytest.ini", "--rootdir", "/x", "--job", "-m", "core"], ["-m", "core"]),
        (["--job", "--target", "notes.yaml", "--read-only"], ["--read-only"]),
        (
            ["--job", "--backup", "/backups", "--keep", "7", "--backup-claim", "b"],
            ["--backup", "/backups", "--keep", "7"],
        ),
        (["--job", "--set", "chroma.memory=3Gi", "--job-namespace", "x"], ["--set", "chroma.memory=3Gi"]),
    ],
)
def test_what_the_job_decides_is_not_passed_on(given: list[str], passed: list[str]) -> None:
    assert passed_on(given) == passed


def test_the_vantage_lies_where_the_rights_of_the_mode_let_it() -> None:
    placed = {mode: list(vantage_of(mode, "nightly")) for mode in MODES}
    assert placed == {
        "deploy": [],
        "verify": ["--vantage-namespace", "nightly"],
        "read-only": ["--vantage-namespace", "none"],
    }


class Cluster:
    """A cluster that has one Secret, or none, or does not say."""

    def __init__(self, there: dict[str, Any] | ApiError | None) -> None:
        self.there = there
        self.asked: list[tuple[str, ...]] = []

    def get(self, *asked: str) -> dict[str, Any] | None:
        self.asked.append(asked)
        if isinstance(self.there, ApiError):
            raise self.there
        return self.there


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    file = tmp_path / "staging.yaml"
    file.write_text(yaml.safe_dump(STATED))
    return file


def printed(inventory: Path, *, kubeconfig: Path | None = None, **options: Any) -> str:
    """Return what the command prints."""
    given = {"inventory": str(inventory), **options}
    said: list[str] = []
    errand = Errand(given.get, [], Path(), "0123abcd", kubeconfig, Path(), list, said.append)
    assert job.run(errand) == 0
    return "\n".join(said)


def test_without_a_cluster_it_says_which_secret_has_to_be_there(inventory: Path) -> None:
    said = printed(inventory, job_namespace="nightly")
    assert said.startswith(
        "# Pulls with Secret nightly/registry, which has to be there: add --kubeconfig FILE"
    )
    assert list(yaml.safe_load_all(said))[-1]["kind"] == "Job"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"backup": "/backups"},
            "--job --backup needs --backup-claim NAME, the claim that the Job has at /backups",
        ),
        (
            {"backup": "chroma.tar", "backup_claim": "b"},
            "--backup chroma.tar: the Job has its claim at /backups",
        ),
        ({"restore": "/backups/../x", "backup_claim": "b"}, "--restore /backups/../x: the Job has its claim"),
        ({"restore": "/backups", "backup_claim": "b", "keep": 3}, "--keep is for --backup"),
        ({"backup_claim": "b"}, "--backup-claim and --keep are for a Job that copies"),
        ({"keep": 3}, "--backup-claim and --keep are for a Job that copies"),
        (
            {"backup": "/backups", "backup_claim": "b", "shards": 2, "verify": True},
            "--job --backup runs no features: leave out --shards, --verify",
        ),
    ],
    ids=str,
)
def test_a_job_that_could_not_copy_is_refused_in_a_line(
    inventory: Path, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(JobError, match=re.escape(told)):
        printed(inventory, **options)


@pytest.mark.parametrize("schedule", ["", "0 3 * * *"], ids=["job", "cronjob"])
@pytest.mark.parametrize(
    ("there", "told"),
    [
        (SECRET, ""),
        (None, "image_pull_secret: Secret chroma-conformance/registry is missing; make one of type"),
        ({"type": "Opaque"}, "registry is of type Opaque, not kubernetes.io/dockerconfigjson; make one"),
        (ApiError(403, "Forbidden", "not for you"), "cannot be seen: not for you"),
    ],
    ids=["there", "missing", "another type", "forbidden"],
)
def test_a_job_whose_image_could_not_be_pulled_is_refused_in_a_line(
    inventory: Path, monkeypatch: pytest.MonkeyPatch, there: Any, told: str, schedule: str
) -> None:
    cluster = Cluster(there)
    monkeypatch.setattr(job, "Kube", lambda *_: cluster)
    if not told:
        assert not printed(inventory, kubeconfig=Path("kubeconfig"), schedule=schedule).startswith("#")
        assert cluster.asked == [("Secret", "registry", "chroma-conformance")]
        return
    with pytest.raises(JobError, match=told) as refused:
        printed(inventory, kubeconfig=Path("kubeconfig"), schedule=schedule)
    assert "\n" not in str(refused.value)
