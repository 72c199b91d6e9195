"""What others put into a cluster around a release: webhooks, policies, containers in every pod, nodes that come later."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from trustme import CA

from support.checks.certificate.authority import issue
from support.core.wait import pause, wait_for
from support.kube import probe
from support.kube.errors import ApiError
from support.kube.objects import key
from support.release import versions
from support.release.faults import Patch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.core.wait import Deadlines
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout
    from support.kube.client import Kube
    from support.kube.objects import Object
    from support.platform.inventory import Inventory
    from support.release.release import Release

# What every namespace carries, so that a webhook can be meant for one alone.
_NAME: Final = "kubernetes.io/metadata.name"
_WEBHOOK: Final = "webhook.example.com"
_SERVICE: Final = "webhook"
_PORT: Final = 8443
_INJECTED: Final = "istio-proxy"
# Answers each review with a patch: one for a pod that has such a list already, one for a pod that has none.
_CONFIGURATION: Final = """
global
  maxconn 100
  tune.bufsize 262144
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 10s
frontend webhook
  bind :{port} ssl crt /webhook/webhook.pem
  option http-buffer-request
  http-request set-var(txn.uid) req.body,json_query('$.request.uid')
  http-request set-var(txn.there) req.body,json_query('$.request.object.spec.{place}[0].name')
  http-request set-var(txn.patch) str({first})
  http-request set-var(txn.patch) str({more}) if {{ var(txn.there) -m found }}
  http-request return status 200 content-type application/json lf-string '{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{{"uid":"%[var(txn.uid)]","allowed":true,"patchType":"JSONPatch","patch":"%[var(txn.patch)]"}}}}'
"""
_POD_CREATION: Final = {
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["pods"],
}
_EXPOSURE: Final = {
    "apiGroups": ["networking.k8s.io", "gateway.networking.k8s.io"],
    "apiVersions": ["v1"],
    "operations": ["CREATE", "UPDATE"],
    "resources": ["ingresses", "httproutes"],
}
_RULES: Final = {"Mutating": _POD_CREATION, "Validating": _EXPOSURE}
# The label of the node that a pod waits for.
_LATER: Final = "chroma-conformance/later"
# By which a native sidecar differs from an ordinary one: where it stands, and that it is started again.
SIDECARS: Final[Mapping[str, tuple[str, Object]]] = {
    "an ordinary container": ("containers", {}),
    "a native sidecar": ("initContainers", {"restartPolicy": "Always"}),
}


@contextmanager
def silent_webhook(platform: Kube, namespace: Namespace, run_id: str) -> Iterator[None]:
    """Let a webhook that nobody answers judge every Ingress and route of a namespace, as an ingress controller leaves it behind."""
    where = f"gone-{namespace.name}"
    with _configured(platform, namespace, run_id, "Validating", where):
        yield


@contextmanager
def injecting(  # noqa: PLR0917 - what it stands on
    platform: Kube, namespace: Namespace, gateway: str, run_id: str, kind: str, deadlines: Deadlines
) -> Iterator[None]:
    """Let something put another container into every pod of a namespace, as a mesh does.

    What judges the pods is the image of the release's `gateway`, which speaks TLS and JSON.
    """
    kube, home = platform, f"mesh-{namespace.name}"
    authority = CA()
    kube.apply(probe.namespace(home, run_id))
    try:
        for obj in _mesh(namespace.inventory, home, authority, kind):
            kube.create(obj)
        probe.start(kube, _server(namespace.inventory, home, run_id, gateway), deadlines)
        answers = partial(_has_endpoints, kube, home)
        wait_for(answers, deadlines.live, lambda: f"no webhook answers in {home}")
        kube.apply(probe.namespace(namespace.name, run_id))
        with _configured(platform, namespace, run_id, "Mutating", home, authority.cert_pem.bytes()):
            injects = partial(_injects, platform, namespace, run_id)
            wait_for(injects, deadlines.live, lambda: "nothing is put into pods", (ApiError,))
            yield
    finally:
        kube.delete("Namespace", home)


def _mesh(inventory: Inventory, home: str, authority: CA, kind: str) -> list[Object]:
    """Make what the webhook needs: its certificate with its configuration, and its Service."""
    tls = issue(authority, f"{_SERVICE}.{home}.svc")
    place, more = SIDECARS[kind]
    container = _container(inventory) | more
    patches = [
        _encoded([{"op": "add", "path": f"/spec/{place}/-", "value": container}]),
        _encoded([{"op": "add", "path": f"/spec/{place}", "value": [container]}]),
    ]
    files = {
        "haproxy.cfg": _CONFIGURATION.format(port=_PORT, place=place, more=patches[0], first=patches[1]),
        "webhook.pem": (tls.certificate + tls.key).decode(),
    }
    metadata = {"name": _SERVICE, "namespace": home}
    ports = [{"port": 443, "targetPort": _PORT}]
    service = {"selector": {"app": _SERVICE}, "ports": ports}
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": files},
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
    ]


def _server(inventory: Inventory, home: str, run_id: str, gateway: str) -> Object:
    pod = probe.pod(
        _SERVICE,
        home,
        run_id,
        f"{inventory.harbor_registry}/{inventory.library_project}/{gateway}",
        [],
        mounts=[{"name": "webhook", "mountPath": "/webhook"}],
        volumes=[{"name": "webhook", "secret": {"secretName": _SERVICE, "defaultMode": 0o444}}],
        securityContext={
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    )
    pod["metadata"]["labels"] = pod["metadata"]["labels"] | {"app": _SERVICE}
    pod["spec"]["containers"][0]["command"] = ["haproxy", "-W", "-db", "-f", "/webhook/haproxy.cfg"]
    pod["spec"]["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": _PORT}, "periodSeconds": 1}
    return pod


def _encoded(patch: list[Object]) -> str:
    return base64.b64encode(json.dumps(patch).encode()).decode()


@contextmanager
def closed(kube: Kube, namespace: Namespace, run_id: str) -> Iterator[Object]:
    """Let a namespace that is somebody else's have a NetworkPolicy which lets nobody in; lends the policy."""
    home = probe.namespace(namespace.name, run_id)
    # Throw-away, and yet not the suite's to remove with a release.
    home["metadata"]["labels"] = {"team": "search", **_label_of_run(home)}
    kube.apply(home)
    policy = kube.create(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "default-deny", "namespace": namespace.name},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
        }
    )
    try:
        yield policy
    finally:
        kube.delete("Namespace", namespace.name)


def apply_another_tag(namespace: Namespace, release: Release) -> Rollout:
    """Apply a release with the same image under another of its tags."""
    given = namespace.inventory
    name = release.chroma.image.partition(":")[0]
    tag = "latest-kept" if versions.keeps(release.chroma.image) else "latest"
    image = f"{given.harbor_registry}/{given.library_project}/{name}:{tag}"
    path = "/spec/template/spec/containers/0/image"
    change = {"op": "replace", "path": path, "value": image}
    return namespace.apply(
        release, (Patch.model_validate({"kind": "StatefulSet", "name": "chroma", "json": [change]}),)
    )


def apply_where_a_node_comes_later(
    kube: Kube, namespace: Namespace, release: Release, deadlines: Deadlines
) -> Rollout:
    """Apply a release that asks for a node which is not there yet, and let an autoscaler bring it, later than any doubt.

    `kube` is the autoscaler's, as those of the others here are the platform's.
    """
    label = {_LATER: namespace.name}
    placed = Patch.model_validate(
        {
            "kind": "StatefulSet",
            "name": "chroma",
            "merge": {"spec": {"template": {"spec": {"nodeSelector": label}}}},
        }
    )
    node = kube.list("Node")[0]["metadata"]["name"]
    come = threading.Thread(target=_bring, args=(kube, namespace.name, node, label, deadlines), daemon=True)
    come.start()
    try:
        return namespace.apply(release, (placed,))
    finally:
        come.join()
        kube.patch("Node", node, None, {"metadata": {"labels": {_LATER: None}}})


def _bring(kube: Kube, namespace: str, node: str, label: Mapping[str, str], deadlines: Deadlines) -> None:
    """Announce a node for the release's pod as cluster-autoscaler does, and let it be there when a doubt would be over."""
    pod = wait_for(
        lambda: kube.get("Pod", "chroma-0", namespace), deadlines.live, lambda: "the pod is not made"
    )
    about = {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": "chroma-0",
        "namespace": namespace,
        "uid": pod["metadata"]["uid"],
    }
    kube.create(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": "chroma-0.", "namespace": namespace},
            "involvedObject": about,
            "type": "Normal",
            "reason": "TriggeredScaleUp",
            "source": {"component": "cluster-autoscaler"},
            "message": "pod triggered scale-up: [{workers 1->2 (max: 5)}]",
        }
    )
    pause(1.5 * deadlines.doubt)
    kube.patch("Node", node, None, {"metadata": {"labels": dict(label)}})


@contextmanager
def _configured(  # noqa: PLR0917 - what it stands on
    kube: Kube, namespace: Namespace, run_id: str, kind: str, service_in: str, authority: bytes = b""
) -> Iterator[None]:
    """Let a webhook of a kind judge what those of that kind are asked about, in one namespace alone."""
    name = f"chroma-conformance-{namespace.name}"
    where = {"service": {"name": _SERVICE, "namespace": service_in, "path": "/"}}
    configuration = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": name, "labels": probe.namespace(name, run_id)["metadata"]["labels"]},
        "webhooks": [
            {
                "name": _WEBHOOK,
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "clientConfig": {**where, "caBundle": base64.b64encode(authority).decode()}
                if authority
                else where,
                "rules": [_RULES[kind]],
                "namespaceSelector": {"matchLabels": {_NAME: namespace.name}},
            }
        ],
    }
    kube.create(configuration)
    try:
        yield
    finally:
        kube.delete(*key(configuration))


def _container(inventory: Inventory) -> Object:
    """Return the container that is put into every pod: a small one that sleeps."""
    pod = probe.pod("x", "x", "x", inventory.vantage_image, ["sleep"])
    return {**pod["spec"]["containers"][0], "name": _INJECTED}


def _has_endpoints(kube: Kube, home: str) -> bool:
    return any(
        one.get("conditions", {}).get("ready")
        for slice_ in kube.list("EndpointSlice", home)
        for one in slice_.get("endpoints") or ()
    )


def _injects(kube: Kube, namespace: Namespace, run_id: str) -> bool:
    pod = probe.pod("tried", namespace.name, run_id, namespace.inventory.vantage_image, ["sleep"])
    tried = kube.create(pod, dry_run=True)
    names = [
        one["name"] for kind in ("containers", "initContainers") for one in tried["spec"].get(kind) or ()
    ]
    return _INJECTED in names


def _label_of_run(home: Object) -> dict[str, str]:
    return {name: value for name, value in home["metadata"]["labels"].items() if "run" in name}
