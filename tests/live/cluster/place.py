"""One throw-away namespace of a cluster, and what the tests do in it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from support.core.wait import wait_for
from support.kube.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from support.kube.client import Kube
    from support.kube.objects import Object

T = TypeVar("T")

# Seconds until a promise counts as broken: ten times what the slowest one takes on two busy cores. An emulated machine
# is ten times as slow, and says so.
STRETCH: Final = float(os.environ.get("TESTS_PATIENCE", "1"))
PATIENCE: Final = 60.0 * STRETCH

PORT: Final = 8080  # where the probe's `serve` listens

_VERSIONS: Final = {
    "Ingress": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
}

# What the standard "restricted" asks of a container, beside the pod's own part below.
RESTRICTED: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True)
class Ran:
    """How a command of the probe in a pod ended."""

    code: int
    stdout: str
    stderr: str


class Place:
    """A namespace of a cluster; `image` is the probe's."""

    def __init__(self, kube: Kube, name: str, image: str) -> None:
        self.kube = kube
        self.name = name
        self.image = image

    def open(self, labels: Mapping[str, str]) -> None:
        """Make the namespace, and wait for the account without which no pod can be made."""
        self.kube.apply(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": self.name, "labels": dict(labels)},
            }
        )
        self.until("ServiceAccount", "default", lambda account: account, "a service account")

    def close(self) -> None:
        """Ask for the namespace's end; nobody waits for it."""
        self.kube.delete("Namespace", self.name)

    def apply(self, kind: str, name: str, body: Object, **metadata: Any) -> Object:
        """Apply an object of the namespace: its body is all but version, kind and metadata."""
        return self.kube.apply(
            {
                "apiVersion": _VERSIONS.get(kind, "v1"),
                "kind": kind,
                "metadata": {"name": name, "namespace": self.name, **metadata},
                **body,
            }
        )

    def pod(
        self,
        name: str,
        command: Sequence[str] = ("sleep",),
        *,
        labels: Mapping[str, str] | None = None,
        container: Object | None = None,
        spec: Object | None = None,
    ) -> None:
        """Apply a pod that runs the probe; it is a restricted one unless `container` or `spec` say otherwise."""
        probing = {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1}
        served = {"readinessProbe": probing} if command[0] == "serve" else {}
        body = {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "probe",
                    "image": self.image,
                    "args": list(command),
                    "securityContext": RESTRICTED,
                    **served,
                    **(container or {}),
                }
            ],
        }
        self.apply("Pod", name, {"spec": body | (spec or {})}, labels=dict(labels or {}))

    def service(self, name: str, app: str, **spec: Any) -> Object:
        """Apply a Service, port 80, for the pods of a label `app`."""
        ports = [{"port": 80, "targetPort": PORT}]
        return self.apply("Service", name, {"spec": {"selector": {"app": app}, "ports": ports, **spec}})

    def claim(self, name: str, size: str) -> None:
        """Apply a claim of the default storage class."""
        request = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
        self.apply("PersistentVolumeClaim", name, {"spec": request})

    def keeper(self, pod: str) -> None:
        """Start a pod that has the claim `data` at /data, and wait until it is Ready."""
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
        mounts = [{"name": "data", "mountPath": "/data"}]
        self.pod(pod, container={"volumeMounts": mounts}, spec={"volumes": [volume]})
        self.ready(pod)

    def ready(self, *pods: str) -> None:
        """Wait until pods are Ready."""
        for pod in pods:
            self.until("Pod", pod, _is_ready, "a pod that is Ready")

    def until(
        self,
        kind: str,
        name: str,
        fact: Callable[[Object], T | None],
        promised: str,
        patience: float = PATIENCE,
    ) -> T:
        """Watch an object until `fact` finds something in it, and give that; fact({}) when there is none."""
        end = time.monotonic() + patience
        with Watch(self.kube, [kind], self.name) as watch:
            while True:
                seen = watch.objects.get((kind, name), {})
                if found := fact(seen):
                    return found
                left = end - time.monotonic()
                assert left > 0, (
                    f"promised: {promised}; seen of {kind} {name} after {patience:g} s: "
                    f"{seen.get('status') if seen else 'there is none'}"
                )
                watch.wait(left)

    def gone(self, kind: str, name: str) -> None:
        """Wait until there is no such object."""
        self.until(kind, name, lambda seen: not seen, "it is gone")

    def run(self, pod: str, *command: str) -> Ran:
        """Run a command of the probe in a pod."""
        done = self.kube.exec(self.name, pod, "probe", ["/probe", *command], PATIENCE)
        return Ran(done.code, done.stdout.decode(), done.stderr.decode())

    def run_until(self, pod: str, *command: str, succeeds: bool = True) -> Ran:
        """Run a command of the probe again and again until it succeeds, or until it fails."""
        last: list[Ran] = []

        def attempt() -> Ran | None:
            last[:] = [self.run(pod, *command)]
            return last[0] if (last[0].code == 0) == succeeds else None

        wanted = "succeeds" if succeeds else "fails"
        return wait_for(attempt, PATIENCE, lambda: f"promised: {command} in {pod} {wanted}; seen: {last}")


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
