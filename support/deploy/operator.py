"""Who acts on a cluster, as the cluster and as this machine name him."""

from __future__ import annotations

import getpass
import platform
from contextlib import suppress
from typing import TYPE_CHECKING

from support.kube.errors import ApiError

if TYPE_CHECKING:
    from support.kube.client import Kube


def who(kube: Kube) -> str:
    """Return who acts: "kubernetes-admin (alice@laptop)"; never raises."""
    try:
        here = f"{getpass.getuser()}@{platform.node()}"
    except (OSError, KeyError):  # a container whose user has no name
        here = platform.node()
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": {}}
    with suppress(ApiError, KeyError):  # a cluster before 1.28 does not tell
        return f"{kube.create(review)['status']['userInfo']['username']} ({here})"
    return here
