"""Where the API server keeps each kind of object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from support.kube.objects import Object

# Where each kind lives. A table, because discovery would cost a dozen requests at every start.
CLUSTER_WIDE: Final = {
    "Namespace": "api/v1/namespaces",
    "Node": "api/v1/nodes",
    "PersistentVolume": "api/v1/persistentvolumes",
    "StorageClass": "apis/storage.k8s.io/v1/storageclasses",
    "GatewayClass": "apis/gateway.networking.k8s.io/v1/gatewayclasses",
    "IngressClass": "apis/networking.k8s.io/v1/ingressclasses",
    "MutatingWebhookConfiguration": "apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "ValidatingWebhookConfiguration": "apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    "PriorityClass": "apis/scheduling.k8s.io/v1/priorityclasses",
    # Questions about the asker's own rights; nothing is stored of them.
    "SelfSubjectAccessReview": "apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "SelfSubjectReview": "apis/authentication.k8s.io/v1/selfsubjectreviews",
    "SelfSubjectRulesReview": "apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
}


NAMESPACED: Final = {
    "ConfigMap": ("api/v1", "configmaps"),
    "Event": ("api/v1", "events"),
    "LimitRange": ("api/v1", "limitranges"),
    "PersistentVolumeClaim": ("api/v1", "persistentvolumeclaims"),
    "Pod": ("api/v1", "pods"),
    "PodMetrics": ("apis/metrics.k8s.io/v1beta1", "pods"),  # on clusters that measure
    "ResourceQuota": ("api/v1", "resourcequotas"),
    "Secret": ("api/v1", "secrets"),
    "Service": ("api/v1", "services"),
    "ServiceAccount": ("api/v1", "serviceaccounts"),
    "ControllerRevision": ("apis/apps/v1", "controllerrevisions"),
    "Deployment": ("apis/apps/v1", "deployments"),
    "StatefulSet": ("apis/apps/v1", "statefulsets"),
    "EndpointSlice": ("apis/discovery.k8s.io/v1", "endpointslices"),
    "Job": ("apis/batch/v1", "jobs"),
    "Lease": ("apis/coordination.k8s.io/v1", "leases"),
    "Gateway": ("apis/gateway.networking.k8s.io/v1", "gateways"),
    "HTTPRoute": ("apis/gateway.networking.k8s.io/v1", "httproutes"),
    "Ingress": ("apis/networking.k8s.io/v1", "ingresses"),
    "NetworkPolicy": ("apis/networking.k8s.io/v1", "networkpolicies"),
}


# Of an API that a cluster may not have: without it, and to who may not look, there are none.
OPTIONAL: Final = {"Gateway", "GatewayClass", "HTTPRoute"}


def resource(kind: str) -> tuple[str, str]:
    """Return the group ("" is the core's) and the plural by which rights on a kind are granted."""
    version, plural = NAMESPACED.get(kind) or CLUSTER_WIDE[kind].rsplit("/", 1)
    group = version.removeprefix("apis/").rpartition("/")[0] if version.startswith("apis/") else ""
    return group, plural


def path_to(kind: str, name: str | None, namespace: str | None) -> str:
    """Return the path of an object, or without a name of all of its kind; raises `LookupError` for an unknown kind."""
    if kind in CLUSTER_WIDE:
        collection = CLUSTER_WIDE[kind]
    elif kind in NAMESPACED:
        group, plural = NAMESPACED[kind]
        collection = f"{group}/namespaces/{namespace}/{plural}" if namespace else f"{group}/{plural}"
    else:
        raise LookupError(f"support/kube/resources.py does not know where objects of kind {kind} live")
    return f"{collection}/{name}" if name else collection


def path_of(obj: Object) -> str:
    """Return the path of an object that has a name."""
    return path_to(obj["kind"], obj["metadata"]["name"], obj["metadata"].get("namespace"))
