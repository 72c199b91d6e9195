"""Writes the results as JUnit XML, for the tools that read nothing else."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.reporting.verdict import Result

# What XML 1.0 cannot carry, not even escaped.
_UNSPEAKABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(file: Path, results: Sequence[Result], began: str) -> None:
    """Write the results: a suite for each feature, a case for each scenario.

    `began` is when the run began, as ISO 8601.
    """
    root = Element("testsuites", name="chroma-conformance")
    _count(root, results)
    for feature_file in dict.fromkeys(result.scenario.file for result in results):
        within = [result for result in results if result.scenario.file == feature_file]
        suite = SubElement(root, "testsuite", name=_clean(within[0].scenario.feature), timestamp=began)
        _count(suite, within)
        for result in within:
            _case(suite, result)
    indent(root)
    ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def _case(suite: Element, result: Result) -> None:
    scenario = result.scenario
    case = SubElement(
        suite,
        "testcase",
        # Readers of JUnit make packages of what dots divide.
        classname=scenario.file.removesuffix(".feature").replace("/", "."),
        name=_clean(scenario.name),
        file=scenario.file,
        line=str(scenario.line),
        time=f"{result.seconds:.3f}",
    )
    properties = SubElement(case, "properties")
    facts = {
        "rule": scenario.rule,
        "tags": " ".join(scenario.tags),
        "evidence": result.evidence,
        "worker": result.worker,
    }
    for name, value in facts.items():
        if value:
            SubElement(properties, "property", name=name, value=_clean(value))
    if result.outcome == "failed":
        failure = SubElement(
            case, "failure", type=result.error, message=_clean(result.message or result.reason)
        )
        failure.text = _clean(result.detail)
        if result.evidence:
            # As Jenkins and GitLab find what belongs to a case: by a path from where the run was started.
            summary = os.path.relpath(Path(result.evidence, "failure.txt"))
            SubElement(case, "system-out").text = f"[[ATTACHMENT|{_clean(summary)}]]"
    elif result.outcome == "skipped":
        SubElement(case, "skipped", message=_clean(result.reason))


def _count(element: Element, results: Sequence[Result]) -> None:
    element.set("tests", str(len(results)))
    element.set("failures", str(sum(result.outcome == "failed" for result in results)))
    element.set("errors", "0")
    element.set("skipped", str(sum(result.outcome == "skipped" for result in results)))
    element.set("time", f"{sum(result.seconds for result in results):.3f}")


def _clean(text: str) -> str:
    return _UNSPEAKABLE.sub("\N{REPLACEMENT CHARACTER}", text)
