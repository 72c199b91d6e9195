"""The run in a Job is given what the command line has beyond the Job."""

from __future__ import annotations

import pytest

from support.commands.job import passed_on, vantage_of
from support.platform.rights import MODES


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


def test_the_vantage_lies_where_the_rights_of_the_mode_let_it() -> None:
    placed = {mode: list(vantage_of(mode, "nightly")) for mode in MODES}
    assert placed == {
        "deploy": [],
        "verify": ["--vantage-namespace", "nightly"],
        "read-only": ["--vantage-namespace", "none"],
    }
