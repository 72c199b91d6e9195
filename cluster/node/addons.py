"""The objects that a cluster has from the start, from the manifests in addons/."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import yaml

from cluster import layout

if TYPE_CHECKING:
    from cluster.layout import Layout
    from cluster.spec import Spec

_MANIFESTS = Path(__file__).parent / "addons"
# As they stand in the list of Traefik's pod.
_GATEWAY_ARGUMENTS = """\
    - --providers.kubernetesgateway=true
    - --providers.kubernetesgateway.statusaddress.ip=$INGRESS_ADDRESS
"""


def load(files: Layout, spec: Spec) -> list[dict[str, Any]]:
    """Give all objects in the order in which they are to be applied.

    Manifests may say the name of a constant of layout.py, such as $NODE, and $coredns or $traefik for an image's
    reference. Those of the Gateway API are there where its definitions are.
    """
    values = {name: value for name, value in vars(layout).items() if name.isupper()} | spec.images
    arguments = Template(_GATEWAY_ARGUMENTS).substitute(values) if spec.gateway_api else ""
    objects = [_root_certificate(files), _web_certificate(files)]
    manifests = sorted(_MANIFESTS.glob("*.yaml"))
    if spec.gateway_api:
        objects += json.loads(Path(spec.gateway_api).read_text())
        manifests += sorted((_MANIFESTS / "gateway-api").glob("*.yaml"))
    for manifest in manifests:
        text = Template(manifest.read_text()).substitute(values, GATEWAY_ARGUMENTS=arguments)
        objects += yaml.load_all(text, yaml.CSafeLoader)
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
