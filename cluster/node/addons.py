"""The objects that a cluster has from the start, from the manifests in addons/."""

from __future__ import annotations

import base64
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import yaml

from cluster import layout

if TYPE_CHECKING:
    from cluster.layout import Layout
    from cluster.spec import Spec

_MANIFESTS = Path(__file__).parent / "addons"


def load(files: Layout, spec: Spec) -> list[dict[str, Any]]:
    """Give all objects in the order in which they are to be applied.

    Manifests may say $NODE, $DNS_ADDRESS, $INGRESS_ADDRESS, $INGRESS_CLASS, $STORAGE_CLASS, and
    $coredns or $traefik for an image's reference.
    """
    constants = ("NODE", "DNS_ADDRESS", "INGRESS_ADDRESS", "INGRESS_CLASS", "STORAGE_CLASS")
    values = {name: getattr(layout, name) for name in constants} | spec.images
    objects = [_root_certificate(files), _web_certificate(files)]
    for manifest in sorted(_MANIFESTS.glob("*.yaml")):
        objects += yaml.load_all(Template(manifest.read_text()).substitute(values), yaml.CSafeLoader)
    return objects


def _root_certificate(files: Layout) -> dict[str, Any]:
    """Give what the controller manager publishes a second later: our own pods need not wait for it."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "kube-root-ca.crt", "namespace": "kube-system"},
        "data": {"ca.crt": (files.pki / "ca.crt").read_text()},
    }


def _web_certificate(files: Layout) -> dict[str, Any]:
    """Give the wildcard certificate that cert-manager keeps in the platform that the cluster stands for."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": layout.CERTIFICATE_SECRET, "namespace": "default"},
        "type": "kubernetes.io/tls",
        "data": {
            "tls.crt": base64.b64encode((files.pki / "web.crt").read_bytes()).decode(),
            "tls.key": base64.b64encode((files.pki / "web.key").read_bytes()).decode(),
        },
    }
