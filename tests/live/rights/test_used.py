"""Every right of mode deploy was needed by a run of all features, nothing was asked beyond, and nothing of others written.

Reads the reports of the last run: a run for each right would take a day. `make test` runs this after the features.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest

from tests.miniature import ROOT

REPORTS: Final = ROOT / "reports"
# Rights that a run of the features on the embedded cluster does not use, and why each is there.
UNSEEN: Final = {
    r"create of pods/(exec|portforward)\b.*": "Kubernetes asks for it since 1.35; the embedded cluster is 1.34",
    r"(get|create|patch|delete) of leases\b.*": "a run holds a release on a cluster that is not its own alone",
}
# What is written outside of the suite's own namespaces: marks of runs, the pod that asks whether the nodes reach the
# registry, and the shells of the code-server beside a release that is announced.
ELSEWHERE: Final = (
    r"(patch|create|delete) of configmaps chroma-conformance-run-\w+ in default",
    r"(create|delete) of pods chroma-conformance-asks-\w+ in default",
    r"get of pods/exec \S+ in code-server(-\S+)?",
)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What the last run asked, which was of all features and came to its end."""
    report: dict[str, Any] = json.loads((REPORTS / "conformance.json").read_text(encoding="utf-8"))
    assert report["finished"], "the last run has not finished: run `pytest features/ -n 3`"
    assert report["provider"] == "embedded", "the last run was not on an embedded cluster"
    assert not any(level["left_out"] for level in report["levels"].values()), "the last run left features out"
    rights: dict[str, Any] = json.loads((REPORTS / "rights.json").read_text(encoding="utf-8"))
    return rights


def test_nothing_was_asked_beyond_the_rights(found: dict[str, Any]) -> None:
    assert (found["beyond"], found["refused"]) == ([], [])


def test_no_right_is_unneeded(found: dict[str, Any]) -> None:
    unneeded = [one for one in found["unused"] if not any(re.fullmatch(known, one) for known in UNSEEN)]
    assert not unneeded, (
        "take these out of manifests/suite/deploy.yaml.j2, or say in UNSEEN when they are needed"
    )


def test_each_exception_is_still_one(found: dict[str, Any]) -> None:
    stale = [known for known in UNSEEN if not any(re.fullmatch(known, one) for one in found["unused"])]
    assert not stale, "a run uses these by now: take them out of UNSEEN"


def test_nothing_of_others_was_written(found: dict[str, Any]) -> None:
    assert not [one for one in found["elsewhere"] if not any(re.fullmatch(known, one) for known in ELSEWHERE)]
