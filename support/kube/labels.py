"""The labels that say which objects the suite owns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.kube.objects import Object

# The label that says to which run alone an object belongs.
RUN = "chroma-conformance/run"
# The annotations that say by which process an object was made, and for how many seconds it may last where that cannot be seen.
PROCESS = "chroma-conformance/process"
LASTS = "chroma-conformance/lasts"


def ownership(run_id: str | None) -> dict[str, str]:
    """Return the labels of every object that the suite makes; nothing without them is ever deleted."""
    labels = {
        "app.kubernetes.io/managed-by": "chroma-conformance",
        "app.kubernetes.io/part-of": "chroma-conformance",
    }
    return labels if run_id is None else {**labels, RUN: run_id}


OWNED = ownership(None)


def is_ours(obj: Object) -> bool:
    """Whether an object carries the labels without which the suite deletes nothing."""
    return OWNED.items() <= (obj["metadata"].get("labels") or {}).items()


def is_throw_away(namespace: Object, run_id: str | None) -> bool:
    """Whether a namespace belongs to a run alone, and goes with it."""
    of_run = ownership(run_id).items() - OWNED.items()
    return bool(of_run) and of_run <= (namespace["metadata"].get("labels") or {}).items()
