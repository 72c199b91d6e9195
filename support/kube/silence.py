"""Tells a cluster that does not answer at all from one that fails in a single thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.core.errors import SuiteError
from support.kube.errors import ApiError

if TYPE_CHECKING:
    from support.kube.client import Kube

# It is there in every cluster, and an account that may not look at it gets an answer as well.
_ANYWHERE = "default"


class SilentError(SuiteError):
    """The cluster does not answer; the text says so in a line."""


def silence(kube: Kube, error: ApiError) -> str:
    """Say in a line that a cluster does not answer, and what to do; "" where it does, and only this was not answered."""
    if not error.unanswered:
        return ""
    try:
        kube.get("Namespace", _ANYWHERE)
    except ApiError as again:
        if again.unanswered:
            return (
                f"the cluster does not answer any more ({again.message}): see that it runs and that this machine "
                "reaches it, and run again; what was begun there is as it was when it fell silent"
            )
    return ""
