"""The schema of release files is that of the code, and takes what the project ships and documents."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from support.core.merge_patch import merge
from support.release.catalogue import RELEASES, load
from support.release.release import Release, ReleaseError
from support.release.schema import FILE, schema

ROOT = Path(__file__).parents[2]
# The examples of the page, each with the words above it.
EXAMPLES = re.findall(
    r"^\*\*(.+?)\*\*.*?```yaml\n(.*?)```", (ROOT / "docs/releases.md").read_text(), re.MULTILINE | re.DOTALL
)


def test_the_schema_is_that_of_the_code() -> None:
    assert json.loads((ROOT / FILE).read_text()) == schema(), "run `python -m support.release.schema`"


@pytest.mark.parametrize("file", sorted(RELEASES.rglob("*.yaml")), ids=lambda file: file.stem)
def test_the_schema_takes_every_release(file: Path) -> None:
    jsonschema.validate(yaml.safe_load(file.read_text()), schema())


@pytest.mark.parametrize(
    "wrong",
    [
        {"chroma": {"memry": "3Gi"}},
        {"replicas": 2},
        {"discovery": "loud"},
        {"user": "root"},
        {"gateways": {}},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_code_refuses(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"title": "t", **wrong}, schema())
    stated = load("gateway").model_dump(mode="json")
    with pytest.raises(ValueError, match="validation error"):
        Release.model_validate(merge(stated, wrong))


def test_there_is_an_example_of_each_usual_change() -> None:
    words = " ".join(title.lower() for title, _ in EXAMPLES)
    for change in ("memory", "claim", "bearer", "browsers", "discovery", "replicas"):
        assert change in words, f"promised: an example of {change} in docs/releases.md\nseen:     {words}"


@pytest.mark.parametrize(("title", "text"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_an_example_of_the_page_is_a_release(tmp_path: Path, title: str, text: str) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(text)
    if "refused" in title:
        with pytest.raises(ReleaseError, match="replicas"):
            load(str(file))
        return
    jsonschema.validate(yaml.safe_load(text), schema())
    assert load(str(file)) != load("gateway").model_copy(update={"name": "example"})
