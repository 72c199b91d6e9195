"""Where everything of one cluster lies: its addresses, its names and its files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NODE = "n1"
# None of these addresses is ever seen outside the cluster's own network namespace, so that every
# cluster can have the same ones.
NODE_ADDRESS = "10.123.0.2"
NODE_PREFIX = 24
POD_RANGE = "10.244.0.0/16"
NODE_POD_RANGE = "10.244.0.0/24"
SERVICE_RANGE = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
DNS_ADDRESS = "10.96.0.10"
INGRESS_ADDRESS = "10.96.0.80"

API_PORT = 6443
REGISTRY_PORT = 5000
HTTP_PORT = 80
HTTPS_PORT = 443

# What the relay joins: a port on the cluster's loopback address outside → an address inside.
RELAYED = {
    API_PORT: (NODE_ADDRESS, API_PORT),
    HTTP_PORT: (INGRESS_ADDRESS, HTTP_PORT),
    HTTPS_PORT: (INGRESS_ADDRESS, HTTPS_PORT),
    REGISTRY_PORT: (NODE_ADDRESS, REGISTRY_PORT),
}

# The platform that the cluster stands for: its domain, classes and registry.
DOMAIN = "example.com"
INGRESS_CLASS = "nginx"
STORAGE_CLASS = "k8s-hostpath"
GATEWAY = "thinkube-gateway"
GATEWAY_NAMESPACE = "gateway-system"
REGISTRY = "harbor.example.com"
LIBRARY = "library"
CERTIFICATE_SECRET = "example-com-tls"  # noqa: S105 - the name of a Secret, not a secret


@dataclass(frozen=True)
class Layout:
    """The files of one cluster, all of them below its run directory."""

    run: Path

    @property
    def cgroup(self) -> str:
        """Name of the cluster's directory in every cgroup hierarchy, derived so that a sweep finds it."""
        return "cluster-" + hashlib.sha256(str(self.run).encode()).hexdigest()[:12]

    @property
    def pki(self) -> Path:
        """Keys and certificates; readable by root alone."""
        return self.run / "pki"

    @property
    def logs(self) -> Path:
        """One file for each program of the node."""
        return self.run / "log"

    @property
    def audit_log(self) -> Path:
        """What the API server was asked, by whom: a line of JSON for each request; the node's own programs are left out."""
        return self.run / "audit.log"

    @property
    def configs(self) -> Path:
        """Configuration files and the kubeconfigs that are used inside the namespaces."""
        return self.run / "etc"

    @property
    def containerd(self) -> Path:
        """The root of containerd, laid from the image seed."""
        return self.run / "containerd"

    @property
    def registry(self) -> Path:
        """Blobs of the registry."""
        return self.run / "registry"

    @property
    def registry_credentials(self) -> Path:
        """Who may push into the registry, as name:password; for the one alone who has booted the cluster."""
        return self.run / "registry-credentials"

    @property
    def volumes(self) -> Path:
        """Images and mount points of provisioned volumes."""
        return self.run / "volumes"

    @property
    def kubelet(self) -> Path:
        """The kubelet's root, bound to /var/lib/kubelet inside."""
        return self.run / "kubelet"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig for use outside the namespaces."""
        return self.run / "kubeconfig"

    @property
    def account_kubeconfig(self) -> Path:
        """The kubeconfig of the account as which a run uses the cluster, where it has named one."""
        return self.run / "kubeconfig-of-account"

    @property
    def ca_bundle(self) -> Path:
        """The authority that signed the wildcard certificate, for use outside."""
        return self.run / "ca.pem"

    @property
    def spec(self) -> Path:
        """What the cluster was asked to be, for the node."""
        return self.run / "spec.json"

    @property
    def state(self) -> Path:
        """Facts of a cluster that is up, for `status` and the provider; absent while it boots."""
        return self.run / "state.json"
