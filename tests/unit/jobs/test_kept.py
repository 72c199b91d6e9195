"""A report goes into a ConfigMap whole, compressed where it must be, and never beyond what Kubernetes takes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest

from support.jobs.kept import MOST, TooLargeError, configmap, read

if TYPE_CHECKING:
    from pathlib import Path

OWNER = {"name": "chroma-conformance-0123abcd", "uid": "1-2-3"}


def noise(size: int) -> str:
    """Text that no compression makes smaller than three quarters."""
    return "".join(
        random.Random(0).choices("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/", k=size)
    )


def kept(directory: Path, report: str, junit: str = "<?xml/>") -> dict[str, Any]:
    (directory / "conformance.json").write_text(report)
    (directory / "junit.xml").write_text(junit)
    obj = configmap(directory, "one", "chroma-conformance", OWNER)
    kubernetes_validate.validate(obj, "1.34", strict=True)
    assert sum(len(text) for part in ("data", "binaryData") for text in obj.get(part, {}).values()) <= MOST
    return obj


def test_a_report_is_kept_as_it_stands_and_goes_with_its_job(tmp_path: Path) -> None:
    obj = kept(tmp_path, '{"verdict": "success"}')
    assert obj["data"] == {"conformance.json": '{"verdict": "success"}', "junit.xml": "<?xml/>"}
    assert obj["metadata"]["ownerReferences"] == [{"apiVersion": "batch/v1", "kind": "Job", **OWNER}]


def test_a_large_one_is_compressed(tmp_path: Path) -> None:
    obj = kept(tmp_path, "a" * MOST)
    assert set(obj["binaryData"]) == {"conformance.json.gz", "junit.xml.gz"}
    assert read(obj) == {"conformance.json": b"a" * MOST, "junit.xml": b"<?xml/>"}


def test_junit_gives_way_to_the_report(tmp_path: Path) -> None:
    obj = kept(tmp_path, noise(MOST // 2), noise(MOST))
    assert set(obj["binaryData"]) == {"conformance.json.gz"}


def test_a_report_beyond_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(TooLargeError, match="keep it on a claim"):
        kept(tmp_path, noise(2 * MOST))
