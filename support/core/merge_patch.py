"""Merges one document into another."""

from typing import Any


def merge(target: Any, patch: Any) -> Any:
    """Return `target` with `patch` merged into it (RFC 7386: objects merge, null removes, the rest replaces)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged
