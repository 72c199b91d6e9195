"""The run in a Job is given what the command line has beyond the Job."""

from __future__ import annotations

import pytest

from support.commands.job import passed_on


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (["--job", "--inventory", "staging.yaml"], []),
        (["--job", "features/access.feature", "-m", "core"], ["features/access.feature", "-m", "core"]),
        (["--job", "--schedule=0 3 * * *", "--without", "disruptive"], ["--without", "disruptive"]),
        (["--job", "--kubeconfig", "a", "--context", "b", "--report-dir", "c", "--shards", "4"], []),
        (["--config-file", "/x/pytest.ini", "--rootdir", "/x", "--job", "-m", "core"], ["-m", "core"]),
        (["--job", "--set", "chroma.memory=3Gi", "--job-namespace", "x"], ["--set", "chroma.memory=3Gi"]),
    ],
)
def test_what_the_job_decides_is_not_passed_on(given: list[str], passed: list[str]) -> None:
    assert passed_on(given) == passed
