"""A deployment as its cluster shows it: the workload, its pods, and the Services that lead to them; nothing of it is changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from support.diagnosis.ending import is_ending
from support.kube.containers import is_ready, ports, state
from support.release.versions import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.kube.client import Kube
    from support.kube.objects import Object, Objects
    from support.target.description import Description, ServicePort


_OLD: Final = "pods of the revision before are still there"


@dataclass(frozen=True)
class Deployed:
    """What somebody else deployed, as it is described; each look asks the cluster anew."""

    kube: Kube = field(repr=False)
    stated: Description

    def __str__(self) -> str:
        it = self.stated
        return f"{it.workload.kind} {it.namespace}/{it.workload.name}"

    def workload(self) -> Object | None:
        """Return what runs Chroma, None when it is not there."""
        return self.kube.get(self.stated.workload.kind, self.stated.workload.name, self.stated.namespace)

    def service(self, stated: ServicePort) -> Object | None:
        """Return a Service, None when it is not there."""
        return self.kube.get("Service", stated.name, self.stated.namespace)

    def pods(self) -> Objects:
        """Return the workload's pods, without those on their way out."""
        workload = self.workload()
        if workload is None:
            return []
        found = self.kube.list("Pod", self.stated.namespace)
        return [pod for pod in found if selects(workload, pod) and not is_ending(pod)]

    def standstill(self) -> str:
        """Say why it is not rolled out, "" where it is."""
        workload = self.workload()
        if workload is None:
            return f"there is no {self} any more"
        why = _standstill(workload)
        if not why:
            return ""
        pods = [f"pod {pod['metadata']['name']}: {state(pod)}" for pod in self.pods() if not is_ready(pod)]
        return f"{self} is not rolled out: {'; '.join([why, *pods])}"

    def pod(self) -> Object:
        """Return a pod of it that is ready; a LookupError when there is none."""
        ready = [pod for pod in self.pods() if is_ready(pod)]
        if not ready:
            raise LookupError(f"no pod of {self} is ready")
        return ready[0]

    def port_at_pod(self, pod: Object, stated: ServicePort) -> int:
        """Return the port of a pod to which a Service leads; a LookupError where it leads to none."""
        service = self.service(stated)
        port = port_of(service, stated.port) if service else None
        if port is None:
            raise LookupError(f"there is no port {stated.port} of Service {stated.name} any more")
        aim = port.get("targetPort") or port["port"]
        if isinstance(aim, int):
            return aim
        found = next((number for number, name in ports(pod["spec"]).items() if name == aim), None)
        if found is None:
            raise LookupError(
                f"Service {stated.name} leads to port {aim!r}, which no container of the pod has"
            )
        return found

    def version(self) -> str:
        """Return Chroma's version as the tag of its image tells it, "" where that tells none."""
        workload, wanted = self.workload(), self.stated.workload.container
        for container in _containers(template_of(workload)["spec"]) if workload else ():
            image = container["image"].partition("@")[0]
            is_chroma = container["name"] == wanted if wanted else "chroma" in image.rpartition("/")[2]
            if is_chroma and (found := number(image)):
                return ".".join(map(str, found))
        return ""

    def state(self) -> dict[str, str]:
        """Return what changes when somebody changes it: by the names of objects, as what they are now."""
        found: dict[str, str] = {}
        it = self.stated
        named = [(it.workload.kind, it.workload.name), *(("Service", one.name) for one in it.services)]
        for kind, name in named:
            stored = self.kube.get(kind, name, it.namespace)
            metadata: Any = stored and stored["metadata"]
            found[f"{kind} {name}"] = (
                f"{metadata['uid']} {metadata.get('generation', metadata['resourceVersion'])}"
                if stored
                else ""
            )
        for pod in self.pods():
            restarts = sum(one["restartCount"] for one in pod["status"].get("containerStatuses") or ())
            found[f"Pod {pod['metadata']['name']}"] = f"{pod['metadata']['uid']} {restarts}"
        return found


def template_of(workload: Object) -> Object:
    """Return what a workload makes its pods from."""
    template: Object = workload["spec"]["template"]
    return template


def selects(workload: Object, pod: Object) -> bool:
    """Whether a workload's selector takes a pod, or a template of pods, for its own."""
    labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
    selector = workload["spec"]["selector"]
    exact = selector.get("matchLabels") or {}
    return exact.items() <= labels.items() and all(
        _meets(one, labels) for one in selector.get("matchExpressions") or ()
    )


def port_of(service: Object, wanted: int | str) -> Object | None:
    """Return a port of a Service by its number or name, None where it has none such."""
    ports: Objects = service["spec"].get("ports") or []
    return next((port for port in ports if wanted in {port["port"], port.get("name")}), None)


def _standstill(workload: Object) -> str:
    spec, status = workload["spec"], workload.get("status", {})
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    if not wanted:
        return "it is scaled to 0"
    if status.get("observedGeneration", 0) < workload["metadata"]["generation"]:
        return "its last change has not been seen yet"
    # A Deployment has no revisions in its status; a StatefulSet has, and does not count those of the last one once it is done.
    if status.get("currentRevision") != status.get("updateRevision"):
        return _OLD
    if "currentRevision" not in status and status.get("updatedReplicas", 0) < status.get("replicas", 0):
        return _OLD
    return f"{ready} of {wanted} pods are ready" if ready < wanted else ""


def _containers(spec: Object) -> Iterator[Object]:
    """Yield all containers; a side-car may be an init container that stays."""
    for kind in ("containers", "initContainers"):
        yield from spec.get(kind) or ()


def _meets(requirement: Object, labels: Mapping[str, str]) -> bool:
    key, values = requirement["key"], requirement.get("values") or ()
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[requirement["operator"]]
