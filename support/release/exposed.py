"""What exposes a release to users, as it is documented: an Ingress, or on newer platforms routes of the Gateway API.

Read as `support/release/documented.py` says.
"""

from __future__ import annotations

from typing import Any, Final

INGRESS: Final[dict[str, Any]] = {
    "metadata": {
        "annotations": {
            "nginx.ingress.kubernetes.io/proxy-body-size": "100m",
            "nginx.ingress.kubernetes.io/proxy-read-timeout": "600",
            "nginx.ingress.kubernetes.io/proxy-send-timeout": "600",
            "nginx.ingress.kubernetes.io/ssl-redirect": "true",
        }
    },
    "spec": {
        "ingressClassName": "{primary_ingress_class}",
        "tls": [{"hosts": ["{host}"], "secretName": "chroma-tls-secret"}],
        "rules": [
            {
                "host": "{host}",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "chromadb-svc", "port": {"number": 80}}},
                        }
                    ]
                },
            }
        ],
    },
}


def _parent(section: str) -> dict[str, str]:
    return {"name": "{gateway_name}", "namespace": "{gateway_namespace}", "sectionName": section}


# The platform's own component leaves time-outs to its Gateway, and the redirect to a route for all hosts: here both are the
# release's, since its Ingress states them as well.
ROUTE: Final[dict[str, Any]] = {
    "spec": {
        "parentRefs": [_parent("{gateway_section}")],
        "hostnames": ["{host}"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "timeouts": {"request": "600s", "backendRequest": "600s"},
                "backendRefs": {"chromadb-svc": {"kind": "Service", "port": 80}},
            }
        ],
    }
}

REDIRECT: Final[dict[str, Any]] = {
    "spec": {
        "parentRefs": [_parent("{gateway_http_section}")],
        "hostnames": ["{host}"],
        "rules": [
            {
                "filters": [
                    {
                        "type": "RequestRedirect",
                        "requestRedirect": {"scheme": "https", "statusCode": 301},
                    }
                ]
            }
        ],
    }
}
