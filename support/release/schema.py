"""The form of a release file as a JSON Schema, for editors and for whatever checks a file before it is used."""

from __future__ import annotations

from typing import Any, Final

from support.release.catalogue import names
from support.release.release import Release

# Where it lies, from the top of the project: `python -m support.release.schema` writes it there.
FILE: Final = "docs/release.schema.json"
_SHORT: Final = ("memory", "cpu")


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a release file: a `Release` without its name, and what it extends."""
    whole = Release.model_json_schema()
    parts = whole.pop("$defs")
    del whole["properties"]["name"]
    whole["properties"] = {
        "extends": {
            "description": f"The release from which it differs: {', '.join(names())}, or the path of another file.",
            "type": "string",
        },
        **whole["properties"],
    }
    whole["properties"]["replicas"]["const"] = 1
    for name in _SHORT:
        stated = parts["Chroma"]["properties"][name]
        stated["anyOf"] = [
            {"type": ["string", "number"], "description": "The limit; what is asked for is at most that."},
            {"$ref": stated.pop("$ref")},
        ]
    for part in parts.values():  # a file states only how it differs
        part.pop("required", None)
    whole["required"] = ["title"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **{key: _numbers_as_well(value) for key, value in whole.items()},
        "title": "A release of chroma-conformance",
        "$defs": {key: _numbers_as_well(value) for key, value in sorted(parts.items())},
    }


def _numbers_as_well(stated: Any) -> Any:
    """Return a part of the schema in which a number serves for a text, as it does in a file, and null takes a thing away."""
    if isinstance(stated, list):
        return [_numbers_as_well(each) for each in stated]
    if not isinstance(stated, dict):
        return stated
    found = {key: _numbers_as_well(value) for key, value in stated.items()}
    if found.get("type") == "string" and "enum" not in found:
        found["type"] = ["string", "number"]
    return found


if __name__ == "__main__":
    import json
    from pathlib import Path

    Path(FILE).write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")
