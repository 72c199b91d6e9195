"""Puts the objects of a release on the cluster, in an order that loses no time and kills no good pod for nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from support.core.parallel import in_parallel
from support.core.wait import pause, wait_for
from support.deploy.objects import claim_names, dry_run_pod, images, is_bound, is_claim, prepull_pod, waves
from support.diagnosis import admission
from support.diagnosis.causes import rejection
from support.diagnosis.findings import Cause, Finding
from support.kube.errors import ApiError
from support.kube.labels import is_ours
from support.kube.objects import key

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.core.wait import Deadlines
    from support.deploy.liveness import HealthCheck
    from support.deploy.rollout import RolloutMonitor
    from support.kube.client import Kube
    from support.kube.objects import Object, Objects

# What the scheduler writes on a claim when it has chosen a node for its pod.
_SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"


T = TypeVar("T")

# Seconds between two tries of what was refused for a reason that may pass.
_PAUSE: Final = 1.0


def dry_run(
    kube: Kube, objects: Objects, deadlines: Deadlines, monitor: RolloutMonitor, *, replacing: bool
) -> None:
    """Let the API server judge every object and the pod, before a good one is touched; only the namespace is made.

    `replacing`: there is a pod already, whose share of a quota becomes free. Raises `ApiError`.
    """
    wave = waves(objects)
    for namespace in wave.namespaces:
        _insist(partial(_take, kube, namespace), monitor)
    judged = wave.prerequisites + wave.workload + wave.announcements
    _insist(lambda: in_parallel([partial(_judge, kube, obj) for obj in judged]), monitor)
    for statefulset in wave.workload:
        _insist(
            partial(_await_admission, kube, dry_run_pod(statefulset), deadlines, replacing=replacing), monitor
        )


def _insist(act: Callable[[], T], monitor: RolloutMonitor) -> T:
    """Do what may be refused for a reason that passes, until it is done or the refusal has lasted; raises `ApiError`."""
    while True:
        try:
            done = act()
        except ApiError as error:
            if monitor.debounced(rejection(error)):
                raise
            pause(_PAUSE)
        else:
            monitor.debounced(None)
            return done


def _judge(kube: Kube, obj: Object) -> None:
    """Let the API server judge an object; what only a dry run is refused for says nothing of the apply."""
    try:
        kube.apply(obj, dry_run=True)
    except ApiError as error:
        if not admission.is_undecided(error):
            raise


def prepull(kube: Kube, objects: Objects, former: Objects, monitor: RolloutMonitor) -> Finding | None:
    """Have the images pulled that the live release does not run, before it is touched; return why they cannot be.

    Where no pod may or can come beside the live one, this is left to the rollout.
    """
    known = {image for obj in waves(former).workload for image in images(obj)}
    for statefulset in waves(objects).workload:
        if images(statefulset) <= known:
            continue
        asked = prepull_pod(statefulset)
        try:
            pod = kube.create(asked)
        except ApiError:
            continue
        try:
            if finding := monitor.wait_until_pulled(asked, pod):
                return finding
        finally:
            kube.delete(*key(pod), pod["metadata"]["namespace"], grace=0)
    return None


def apply_objects(
    kube: Kube, objects: Objects, monitor: RolloutMonitor, health_check: HealthCheck
) -> Finding | None:
    """Apply objects, follow them until they are live, and announce them; return why they cannot become so.

    Raises `ApiError`.
    """
    wave = waves(objects)
    for namespace in wave.namespaces:
        _insist(partial(_take, kube, namespace), monitor)
    stored = _insist(lambda: in_parallel([partial(kube.apply, obj) for obj in wave.prerequisites]), monitor)
    monitor.mark("applied")
    for statefulset in wave.workload:
        if finding := _bind(kube, monitor, stored, statefulset):
            return finding
        if finding := monitor.wait_until_live(
            _insist(partial(kube.apply, statefulset), monitor), health_check
        ):
            return finding
    if wave.workload:
        _insist(lambda: in_parallel([partial(kube.apply, obj) for obj in wave.announcements]), monitor)
    return None if wave.workload else Finding(Cause.NEVER_READY, "the release has no StatefulSet")


def reapply(kube: Kube, objects: Objects) -> None:
    """Apply objects without waiting for what comes of them; raises `ApiError`."""
    wave = waves(objects)
    for namespace in wave.namespaces:
        _take(kube, namespace)
    in_parallel([partial(kube.apply, obj) for obj in (*wave.prerequisites, *wave.workload)])


def create_claims(kube: Kube, objects: Objects) -> None:
    """Apply only what holds data, namespaces and claims; raises `ApiError`."""
    wave = waves(objects)
    for namespace in wave.namespaces:
        _take(kube, namespace)
    in_parallel([partial(kube.apply, obj) for obj in filter(is_claim, wave.prerequisites)])


def _take(kube: Kube, namespace: Object) -> None:
    """Apply a Namespace; one that is there and is somebody else's is used as it is."""
    there = kube.get(*key(namespace))
    if not there or is_ours(there):
        kube.apply(namespace)


def _await_admission(kube: Kube, pod: Object, deadlines: Deadlines, *, replacing: bool) -> None:
    admitted = partial(_admits, kube, pod, replacing=replacing)
    wait_for(admitted, deadlines.namespace, lambda: "no pod is admitted: there is no service account")


def _admits(kube: Kube, pod: Object, *, replacing: bool) -> bool:
    try:
        kube.create(pod, dry_run=True)
    except ApiError as error:
        if "serviceaccount" in error.message.lower():
            return False  # a new namespace is given its account a moment after it is made
        theirs = replacing and "exceeded quota" in error.message
        if not (theirs or admission.is_undecided(error)):
            raise
    return True


def _bind(kube: Kube, monitor: RolloutMonitor, stored: Objects, statefulset: Object) -> Finding | None:
    """Let the claims of a pod be bound before it comes, where that is possible; return why they cannot be.

    The scheduler looks at a claim that waits for its pod only once a second (docs/speed.md#binding-the-claim-first).
    """
    mounted = claim_names(statefulset)
    claims = [obj for obj in stored if is_claim(obj) and obj["metadata"]["name"] in mounted]
    unbound = {
        claim["metadata"]["name"] for claim in claims if not is_bound(claim) and _binds_ahead(kube, claim)
    }
    return monitor.wait_until_bound(unbound) if unbound else None


def _binds_ahead(kube: Kube, claim: Object) -> bool:
    """Whether a claim can be bound before its pod is there; on the only node it can come to, it is asked to."""
    try:
        storage_class = kube.get("StorageClass", claim["spec"].get("storageClassName", ""))
        nodes = [node for node in kube.list("Node") if not node["spec"].get("unschedulable")]
    except ApiError:  # without the right to look at them, this is left to the scheduler
        return False
    if not storage_class or storage_class.get("volumeBindingMode") != "WaitForFirstConsumer":
        return True
    if len(nodes) != 1:
        return False
    chosen = {"metadata": {"annotations": {_SELECTED_NODE: nodes[0]["metadata"]["name"]}}}
    kube.patch(*key(claim), claim["metadata"]["namespace"], chosen)
    return True
