"""The templates of manifests/, and what renders them."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jinja2 import Environment

MANIFESTS: Final = Path(__file__).parents[2] / "manifests"


@cache
def templates() -> Environment:
    """Return what renders the templates of manifests/, by their names from there."""
    # Most commands render nothing.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - see above

    environment = Environment(  # noqa: S701 - YAML, not HTML
        loader=FileSystemLoader(MANIFESTS), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "base64": _base64,
        "json": json.dumps,  # as it is read again; `tojson` escapes for HTML as well
        "sha256": lambda value: hashlib.sha256(value).hexdigest(),
    }
    return environment


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
