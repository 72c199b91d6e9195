"""What is seen of a Secret: its values, or all but them."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from support.core.redaction import MARK

if TYPE_CHECKING:
    from collections.abc import Mapping

# kubectl keeps a copy of all it applied there, values and all.
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


def without_values(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Kubernetes object as it is, but a Secret without its values, no matter who made it and what they are."""
    if obj.get("kind") != "Secret":
        return dict(obj)
    keys = {**(obj.get("data") or {}), **(obj.get("stringData") or {})}
    rest = {name: value for name, value in obj.items() if name not in {"data", "stringData"}}
    metadata = dict(obj.get("metadata") or {})
    if annotations := metadata.get("annotations"):
        metadata["annotations"] = {
            key: MARK if key == _LAST_APPLIED else annotations[key] for key in annotations
        }
    # Under one name whichever it was written under, so that what was rendered and what is live can be compared.
    return {**rest, "metadata": metadata, "data": dict.fromkeys(keys, MARK)}


def decoded(secret: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a Secret as text, by their keys; what is no text is left out."""
    values = {}
    for key, value in (secret.get("data") or {}).items():
        with suppress(UnicodeDecodeError):
            values[key] = base64.b64decode(value).decode()
    return values
