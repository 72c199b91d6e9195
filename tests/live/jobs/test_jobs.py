"""The suite runs inside the cluster as well: its exit code is the Job's, and its report outlives the pod."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from support.jobs.job import NAME
from tests.live.cluster.commands import CHECKOUT
from tests.live.jobs.inside import COMPLETE, FAILED, IMAGE, SHORT

if TYPE_CHECKING:
    from tests.live.jobs.inside import Inside

pytestmark = pytest.mark.usefixtures("token")
# Bytes that each node pulls once.
MOST: Final = 250e6


def test_a_job_proves_a_live_release(inside: Inside) -> None:
    name, ended, log = inside.end(*SHORT)
    assert ended in COMPLETE, log
    report = inside.report(name)
    assert (report["finished"], report["provider"], len(report["scenarios"])) == (True, "external", 1)
    # It reads as on a terminal of a known width, without its colours.
    assert "A caller with the right token is served\n    ✓ The right token gives the collections" in log
    assert "\x1b" not in log
    assert max(map(len, log.splitlines())) <= 160, log
    assert inside.site.environ["ADMIN_PASSWORD"] not in log + json.dumps(report)


def test_a_spoiled_release_fails_the_job_and_its_log_names_the_cause(inside: Inside) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "nobody", "namespace": "chroma"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    inside.apply(json.dumps(policy))
    try:
        name, ended, log = inside.end(*SHORT, "--patience", "0.3")
    finally:
        inside.kubectl("delete", "networkpolicy", "nobody", "--namespace", "chroma")
    assert ended in FAILED, log
    assert "NetworkPolicy" in log
    assert inside.report(name)["verdict"] == "failure"


def test_a_cronjob_runs_by_its_schedule_and_keeps_its_report(inside: Inside) -> None:
    inside.apply(inside.printed("--job", "--schedule", "* * * * *", *SHORT))
    try:
        succeeded = "--for=jsonpath={.status.lastSuccessfulTime}"
        inside.kubectl("wait", f"cronjob/{NAME}", succeeded, "--timeout=240s")
        jobs = [
            one["metadata"]["name"]
            for one in inside.found("jobs")["items"]
            if one["metadata"].get("ownerReferences") and one["status"].get("succeeded")
        ]
        assert inside.report(jobs[0])["finished"]
        owners = inside.found("configmap", jobs[0])["metadata"]["ownerReferences"]
        assert [(one["kind"], one["name"]) for one in owners] == [("Job", jobs[0])]
    finally:
        inside.kubectl("delete", "cronjob", NAME)


def test_shards_are_collected_into_one_run(inside: Inside) -> None:
    chosen = ("features/objects.feature", "features/certificate.feature")
    job, ended, log = inside.end("--shards", "2", *chosen, "--roll-back", "always")
    assert ended in COMPLETE, log
    code, said, report = inside.collect(job)
    assert code == 0, said
    assert [one["finished"] for one in report["shards"]] == [True, True]
    files = {one["place"].partition(":")[0] for one in report["scenarios"]}
    assert files == set(chosen)


def test_the_image_is_as_small_as_is_told(inside: Inside) -> None:
    del inside  # on whose cluster it is
    built = subprocess.run(
        [sys.executable, "-m", "cluster", "image", IMAGE],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    layout = Path(built.stdout.strip())

    def read(digest: str) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = json.loads(
            (layout / "blobs" / digest.replace(":", "/")).read_text()
        )
        return found

    (image,) = json.loads((layout / "index.json").read_text())["manifests"]
    # Its layers are not compressed.
    assert sum(int(one["size"]) for one in read(image["digest"])["layers"]) <= MOST
