"""The floor: what one watching script needs from applying a release's objects until it is live, and nothing else.

It applies one object after the other on one connection, reads one raw watch on pods, and then asks through the
ingress until the release lives by the suite's own definition. It makes no dry run, binds no claim ahead, diagnoses
nothing, gives way to nothing and records nothing.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from support.core.wait import pause
from support.deploy.liveness import NotYet
from support.kube.containers import is_ready

if TYPE_CHECKING:
    from support.deploy.liveness import HealthCheck
    from support.kube.client import Kube
    from support.kube.objects import Objects

# Seconds between two looks through the ingress.
_BEAT = 0.02


def seconds_to_live(kube: Kube, namespace: str, objects: Objects, health_check: HealthCheck) -> float:
    """Apply the objects of a release, in their order, and return the seconds until it is live."""
    begin = time.monotonic()
    for obj in objects:
        kube.apply(obj)
    stream = kube.changes("Pod", namespace, kube.listing("Pod", namespace)[1])
    for line in stream:
        if is_ready(json.loads(line)["object"]):
            break
    stream.close()
    while not _lives(health_check):
        pause(_BEAT)
    return time.monotonic() - begin


def _lives(health_check: HealthCheck) -> bool:
    try:
        return health_check.heartbeat_advances() and health_check.acknowledges_write(indexed=True)
    except NotYet:
        return False
