"""The form of a target's file as a JSON Schema, for editors and for whatever checks a file before it is used."""

from __future__ import annotations

from typing import Any, Final

from support.target.description import Description

# Where it lies, from the top of the project: `python -m support.target.schema` writes it there.
FILE: Final = "docs/target.schema.json"


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a `Description`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Description.model_json_schema(),
        "title": "A target of chroma-conformance",
    }


if __name__ == "__main__":
    import json
    from pathlib import Path

    Path(FILE).write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")
