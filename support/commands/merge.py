"""The commands that make one report of those of several shards: --merge, --collect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.core.redaction import Redactor
from support.jobs import kept
from support.jobs.job import NAME
from support.jobs.merge import Merged, MergeError, Part, merge
from support.kube.client import Kube
from support.kube.errors import ApiError
from support.reporting.conformance import REPORT, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.commands.errand import Errand

# As a run of features ends (docs/commands.md).
_FAILED, _UNPROVED = 1, 5


def of_directory(errand: Errand) -> int:
    """Merge the reports below a directory, and return the exit code of the run that they are of."""
    directory = Path(errand.option("merge")).expanduser()
    return _tell(errand, merge(list(_below(directory)), errand.scenarios()))


def of_job(errand: Errand) -> int:
    """Merge the reports that the pods of a Job have kept, and return the exit code of the run that they are of."""
    job, namespace = errand.option("collect"), errand.option("job_namespace") or NAME
    if errand.kubeconfig is None:
        raise MergeError("--collect needs the cluster: add --kubeconfig FILE")
    try:
        kube = Kube(errand.kubeconfig, errand.option("context"))
        found = kube.get("Job", job, namespace)
        if found is None:
            raise MergeError(f"there is no Job {namespace}/{job}; its reports have gone with it")
        if found.get("status", {}).get("active"):
            raise MergeError(f"Job {namespace}/{job} is still running: wait for its end")
        parts = [
            Part(f"ConfigMap {one['metadata']['name']}", report)
            for one in kube.list("ConfigMap", namespace)
            if (one["metadata"].get("labels") or {}).get(kept.JOB) == job
            and (report := _read(kept.read(one).get(REPORT, b""), one["metadata"]["name"]))
        ]
    except ApiError as error:
        raise MergeError(f"the reports of Job {namespace}/{job} cannot be had: {error.message}") from None
    return _tell(errand, merge(parts, errand.scenarios(), found["spec"].get("completions")))


def _below(directory: Path) -> Iterator[Part]:
    if not directory.is_dir():
        raise MergeError(f"{directory} is no directory")
    for file in sorted(directory.rglob(REPORT)):
        report = _read(file.read_bytes(), str(file))
        if report is not None:
            yield Part(str(file), report, str(file.parent / "evidence"))


def _read(content: bytes, source: str) -> dict[str, Any] | None:
    """Return the report of a shard; None for that of a whole run, such as one that was merged before."""
    try:
        report = json.loads(content)
    except ValueError:
        report = None
    if not isinstance(report, dict):
        raise MergeError(f"{source} is no report of a run")
    return report if "shard" in report else None


def _tell(errand: Errand, merged: Merged) -> int:
    """Write the reports of a merged run, say what it came to, and return its exit code."""
    report = Report(
        merged.conditions,
        directory=errand.report_dir,
        root=errand.root,
        arguments=errand.arguments,
        scenarios=list(errand.scenarios()),
        redactor=Redactor(),
        facts={},
        measured={},
    )
    report.sharing = {"shards": list(merged.shards)}
    report.begin()
    report.finish(merged, finished=True)
    for one in merged.shards:
        state = "" if one["finished"] else ", NOT FINISHED" if one["source"] else ", DIED"
        errand.say(f"shard {one['number']}: {one['scenarios']} scenarios, {one['seconds']:.1f} s{state}")
    for line in merged.broken:
        errand.say(line)
    for result in merged.results:
        if result.outcome == "failed":
            errand.say(f"FAILED {result.scenario.place}: {result.scenario.name}: {result.reason}")
    for line in report.last_words():
        errand.say(line)
    if report.outcomes.verdict == "failure":
        return _FAILED
    return _UNPROVED if report.unproved else 0
