"""Keeps the report of a run in a ConfigMap, where it outlives the run's pod."""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING, Any, Final

from support.core.errors import SuiteError
from support.kube.labels import OWNED
from support.reporting.conformance import REPORT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.kube.objects import Object

JUNIT: Final = "junit.xml"
JOB: Final = "chroma-conformance/job"
"""The label that says which Job a report is of."""
# All values of a ConfigMap together; Kubernetes takes 1 MiB, and this leaves room for what it adds.
MOST: Final = 1024 * 1024 - 16 * 1024


class TooLargeError(SuiteError):
    """A report does not go into a ConfigMap."""


def configmap(directory: Path, name: str, namespace: str, owner: Mapping[str, str]) -> Object:
    """Return the ConfigMap of the reports in a directory; raises `TooLargeError`, and OSError where there is none.

    What is too large as it stands is compressed, under its name with `.gz`; where that does not do, junit.xml is left out.
    `owner` is the Job, by name and uid, with which the ConfigMap goes; empty where there is none.
    """
    files = {name: (directory / name).read_bytes() for name in (REPORT, JUNIT) if (directory / name).exists()}
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "labels": dict(OWNED)}
    if owner:
        metadata["labels"][JOB] = owner["name"]
        metadata["ownerReferences"] = [{"apiVersion": "batch/v1", "kind": "Job", **owner}]
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **_bounded(files)}


def _bounded(files: Mapping[str, bytes]) -> dict[str, Any]:
    if sum(map(len, files.values())) <= MOST:
        return {"data": {name: content.decode("utf-8") for name, content in files.items()}}
    # No time in it: the same report is the same ConfigMap.
    packed = {
        f"{name}.gz": base64.b64encode(gzip.compress(content, mtime=0)).decode("ascii")
        for name, content in files.items()
    }
    for chosen in (packed, {f"{REPORT}.gz": packed[f"{REPORT}.gz"]}):
        if sum(map(len, chosen.values())) <= MOST:
            return {"binaryData": chosen}
    raise TooLargeError(
        f"the report is too large for a ConfigMap, even compressed (more than {MOST // 1024} KiB): keep it on a claim "
        "(--report-claim)"
    )


def read(obj: Object) -> dict[str, bytes]:
    """Return the reports that a ConfigMap holds, by their names; inverse of `configmap`."""
    plain = {name: text.encode() for name, text in (obj.get("data") or {}).items()}
    packed = {
        name.removesuffix(".gz"): gzip.decompress(base64.b64decode(text))
        for name, text in (obj.get("binaryData") or {}).items()
    }
    return plain | packed
