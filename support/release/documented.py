"""The objects of the documented component as data: what the documentation says of each (docs/platform.md), and where a release differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from support.core.component import READY
from support.release import exposed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.release.release import Release

Shape = dict[str, Any]

# Stands where there must be nothing.
ABSENT: Final = None


@dataclass(frozen=True)
class Documented:
    """An object as it is documented: what to ask the cluster for, and what must stand in it.

    In `shape` a list whose items have names is a mapping from name to item, and holds all of them; other mappings hold
    what is documented, and Kubernetes may add to them. Words in braces are what the platform gives, and the namespace
    and host of the release. Of a Secret not the values are compared but what they are: "ADMIN_PASSWORD".
    """

    kind: str
    name: str
    shape: Shape


@dataclass(frozen=True)
class Deviation:
    """A deliberate difference from the documentation: what stands `instead`, and why.

    `needs` is the capability of the releases that differ so; None: all do.
    """

    of: str
    instead: Shape
    why: str
    needs: str | None = None


_HEARTBEAT: Final = {"path": "/api/v2/heartbeat"}

OBJECTS: Final[Mapping[str, Documented]] = {
    "Namespace": Documented(
        "Namespace",
        "{namespace}",
        {"metadata": {"labels": {"thinkube.io/managed": "true", "thinkube.io/service-type": "optional"}}},
    ),
    "Secret of the certificate": Documented(
        "Secret",
        "chroma-tls-secret",
        {
            "type": "kubernetes.io/tls",
            "data": {"tls.crt": "the platform's certificate", "tls.key": "the platform's key"},
        },
    ),
    "Secret of the token": Documented(
        "Secret",
        "chroma-auth",
        {"type": "Opaque", "data": {"auth-token": "ADMIN_PASSWORD", "admin-username": "admin_username"}},
    ),
    "claim": Documented(
        "PersistentVolumeClaim",
        "chroma-data-pvc",
        {
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "{storage_class_name}",
                "resources": {"requests": {"storage": "10Gi"}},
            },
            "status": {"phase": "Bound"},
        },
    ),
    "StatefulSet": Documented(
        "StatefulSet",
        "chroma",
        {
            "metadata": {"labels": {"app": "chroma"}},
            "spec": {
                "replicas": 1,
                "serviceName": "chromadb-headless",
                "selector": {"matchLabels": {"app": "chroma"}},
                "template": {
                    "metadata": {"labels": {"app": "chroma"}},
                    "spec": {
                        "initContainers": ABSENT,
                        "containers": {
                            "chroma": {
                                "image": "{harbor_registry}/{library_project}/chroma:latest",
                                "ports": {"http": {"containerPort": 8000}},
                                "env": {
                                    "CHROMA_SERVER_AUTH_CREDENTIALS_PROVIDER": {
                                        "value": "chromadb.auth.token.TokenConfigServerAuthCredentialsProvider"
                                    },
                                    "CHROMA_SERVER_AUTH_PROVIDER": {
                                        "value": "chromadb.auth.token.TokenAuthServerProvider"
                                    },
                                    "CHROMA_SERVER_AUTH_TOKEN_TRANSPORT_HEADER": {"value": "X-Chroma-Token"},
                                    "CHROMA_SERVER_AUTH_CREDENTIALS": {
                                        "valueFrom": {
                                            "secretKeyRef": {"name": "chroma-auth", "key": "auth-token"}
                                        }
                                    },
                                    "ANONYMIZED_TELEMETRY": {"value": "FALSE"},
                                },
                                "volumeMounts": {"data": {"mountPath": "/data"}},
                                "resources": {
                                    "requests": {"cpu": "250m", "memory": "512Mi"},
                                    "limits": {"cpu": "1", "memory": "2Gi"},
                                },
                                "readinessProbe": {
                                    "httpGet": _HEARTBEAT,
                                    "initialDelaySeconds": 10,
                                    "periodSeconds": 5,
                                },
                                "livenessProbe": {
                                    "httpGet": _HEARTBEAT,
                                    "initialDelaySeconds": 30,
                                    "periodSeconds": 10,
                                },
                            }
                        },
                        "volumes": {"data": {"persistentVolumeClaim": {"claimName": "chroma-data-pvc"}}},
                    },
                },
            },
            "status": {"readyReplicas": 1},
        },
    ),
    "headless Service": Documented(
        "Service",
        "chromadb-headless",
        {
            "spec": {
                "clusterIP": "None",
                "selector": {"app": "chroma"},
                "ports": {"http": {"port": 8000, "targetPort": 8000, "protocol": "TCP"}},
            }
        },
    ),
    "Service": Documented(
        "Service",
        "chromadb-svc",
        {
            "spec": {
                "type": "ClusterIP",
                "selector": {"app": "chroma"},
                "ports": {"http": {"port": 80, "targetPort": 8000, "protocol": "TCP"}},
            }
        },
    ),
    "Ingress": Documented("Ingress", "chroma-ingress", exposed.INGRESS),
    # What newer platforms have instead.
    "route": Documented("HTTPRoute", "chroma-route", exposed.ROUTE),
    "redirect of the route": Documented("HTTPRoute", "chroma-redirect", exposed.REDIRECT),
}


def _in_pod(shape: Shape) -> Shape:
    return {"spec": {"template": {"spec": shape}}}


def _in_chroma(shape: Shape) -> Shape:
    return _in_pod({"containers": {"chroma": shape}})


_DOCUMENTED_VARIABLES: Final = (
    "CHROMA_SERVER_AUTH_CREDENTIALS_PROVIDER",
    "CHROMA_SERVER_AUTH_PROVIDER",
    "CHROMA_SERVER_AUTH_TOKEN_TRANSPORT_HEADER",
    "CHROMA_SERVER_AUTH_CREDENTIALS",
)
_GIVEN_UP: Final = dict.fromkeys(_DOCUMENTED_VARIABLES, ABSENT)

# By the words of the features.
DIFFERENCES: Final[Mapping[str, Deviation]] = {
    "its pod has no Service variables in its environment": Deviation(
        "StatefulSet",
        _in_pod({"enableServiceLinks": False}),
        'beside a Service named "chroma" Chroma would be given a port that is none, and panic at its next start',
    ),
    "its pod has only the privileges that it needs": Deviation(
        "StatefulSet",
        _in_pod(
            {
                "automountServiceAccountToken": False,
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": {
                    "chroma": {
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        }
                    }
                },
            }
        ),
        "the documentation says nothing of it, and the image would run as root",
    ),
    "a broken pod does not block its replacement": Deviation(
        "StatefulSet",
        {"spec": {"podManagementPolicy": "Parallel"}},
        "in order, as is usual, an update that was taken back stays stuck until somebody deletes its pod",
    ),
    "its Chroma has the version that was verified": Deviation(
        "StatefulSet",
        _in_chroma({"image": "{harbor_registry}/{library_project}/{image}"}),
        '"latest" is another version tomorrow, which stores and authenticates in another way',
    ),
    "its probes start without delay": Deviation(
        "StatefulSet",
        _in_chroma(
            {
                "readinessProbe": {
                    "httpGet": {"port": 8405},
                    "initialDelaySeconds": ABSENT,
                    "periodSeconds": 1,
                    "timeoutSeconds": 10,
                    "failureThreshold": 6,
                },
                "livenessProbe": {
                    "httpGet": {**_HEARTBEAT, "port": 8405},
                    "initialDelaySeconds": ABSENT,
                    "periodSeconds": 10,
                    "failureThreshold": 12,
                },
            }
        ),
        "Chroma answers after a tenth of a second, and ten seconds of delay would only make every rollout longer; they ask at a port of "
        "their own, and take a release that is merely busy from nobody",
        needs="gateway",
    ),
    "its pod is ready only when every collection answers": Deviation(
        "StatefulSet",
        _in_chroma(
            {
                "readinessProbe": {"httpGet": {"path": READY, "port": 8405}},
                "startupProbe": {
                    "httpGet": {**_HEARTBEAT, "port": 8405},
                    "periodSeconds": 1,
                    "failureThreshold": 3600,
                },
            }
        ),
        "the heartbeat advances while an index is built anew, and whoever asks for it waits for minutes; nobody ends a Chroma "
        "whose volume is looked at",
        needs="integrity",
    ),
    "a gateway checks the token": Deviation(
        "StatefulSet",
        _in_pod(
            {
                "initContainers": {
                    "gateway": {
                        "restartPolicy": "Always",
                        "ports": {"http": {"containerPort": 8000}, "health": {}},
                    }
                },
                "containers": {
                    "chroma": {
                        "ports": ABSENT,
                        "env": {
                            **_GIVEN_UP,
                            "ANONYMIZED_TELEMETRY": ABSENT,
                            "CHROMA_LISTEN_ADDRESS": {"value": "127.0.0.1"},
                            "CHROMA_PORT": {"value": "8001"},
                        },
                    }
                },
                "volumes": {
                    "gateway": {"configMap": {"name": "chroma-gateway"}},
                    "tokens": {"secret": {"secretName": "chroma-gateway"}},
                },
            }
        ),
        "this version of Chroma has no authentication of its own, and the documented variables do nothing in it",
        needs="gateway",
    ),
    "its token has the variable names of its version": Deviation(
        "StatefulSet",
        _in_chroma(
            {
                "env": {
                    **_GIVEN_UP,
                    "CHROMA_SERVER_AUTHN_PROVIDER": {
                        "value": "chromadb.auth.token_authn.TokenAuthenticationServerProvider"
                    },
                    "CHROMA_SERVER_AUTHN_CREDENTIALS": {
                        "valueFrom": {"secretKeyRef": {"name": "chroma-auth", "key": "auth-token"}}
                    },
                    "CHROMA_AUTH_TOKEN_TRANSPORT_HEADER": {"value": "X-Chroma-Token"},
                    "PERSIST_DIRECTORY": {"value": "/data"},
                    "SQLITE_TMPDIR": {"value": "/data"},
                }
            }
        ),
        "under the documented names this version of Chroma starts open; by default it stores beside the claim, and loses"
        " large batches where it may not write",
        needs="native-authentication",
    ),
}


def expected(what: str, release: Release) -> Shape:
    """Return the shape that an object of `OBJECTS` has in a release: the documented one, but for its differences."""
    shape = OBJECTS[what].shape
    for difference in differences(release).values():
        if difference.of == what:
            shape = overlaid(shape, difference.instead)
    return shape


def differences(release: Release) -> dict[str, Deviation]:
    """Return the deliberate differences of a release, by their words."""
    return {
        words: one
        for words, one in DIFFERENCES.items()
        if one.needs is None or one.needs in release.capabilities
    }


def overlaid(shape: Any, instead: Any) -> Any:
    """Return a shape with another laid over it; unlike in a merge patch, `ABSENT` is something to be laid over, too."""
    if not (isinstance(shape, dict) and isinstance(instead, dict)):
        return instead
    return {**shape, **{key: overlaid(shape.get(key), value) for key, value in instead.items()}}
