"""The schema of a target's file is that of the code, and takes what the project ships and documents."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from support.target.description import Description
from support.target.schema import FILE, schema

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(set((ROOT / "docs/targets").glob("*.yaml")) - {ROOT / "docs/targets/rights.yaml"})
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/targets.md").read_text(), re.DOTALL)


def names(model: Any) -> set[str]:
    """Return the names of a schema's values, and of those in its parts."""
    found = set(model.get("properties", {}))
    return found.union(*(names(part) for part in model.get("$defs", {}).values()))


def test_the_schema_is_that_of_the_code() -> None:
    assert json.loads((ROOT / FILE).read_text()) == schema(), "run `python -m support.target.schema`"


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_the_schema_takes_what_is_shipped(file: Path) -> None:
    stated = yaml.safe_load(file.read_text())
    jsonschema.validate(stated, schema())
    Description.model_validate(stated)
    assert (ROOT / "tests/live/targets" / file.name).is_file(), "what is shipped is tried"


@pytest.mark.parametrize(
    "wrong",
    [
        {"namespce": "x"},
        {"services": []},
        {"version": "latest"},
        {"workload": {"kind": "DaemonSet", "name": "x"}},
        {"token": {"header": "X Token", "environment": "Y"}},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_code_refuses(wrong: dict[str, Any]) -> None:
    stated = {**yaml.safe_load(SHIPPED[0].read_text()), **wrong}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(stated, schema())
    with pytest.raises(ValueError, match="validation error"):
        Description.model_validate(stated)


def test_the_page_shows_every_value() -> None:
    stated = yaml.safe_load(EXAMPLE)
    jsonschema.validate(stated, schema())
    assert not {name for name in names(schema()) if not re.search(rf"\b{name}:", EXAMPLE)}
