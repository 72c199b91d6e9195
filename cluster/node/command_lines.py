"""The command lines of the node's programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster import layout
from cluster.node import configs

if TYPE_CHECKING:
    from cluster.layout import Layout

# A run of the features writes 25 MB. At this size the log is begun anew, and the one before is kept beside it.
_AUDIT_MEGABYTES = 100

# One node: nobody else leads, and nothing is to be spared by asking slowly.
_ALONE = ("--leader-elect=false", "--kube-api-qps=1000", "--kube-api-burst=2000", "--bind-address=127.0.0.1")


def etcd(files: Layout) -> list[str]:
    """Run etcd without waiting for the disk: nobody needs its data after a crash."""
    peer = "http://127.0.0.1:2380"
    return [
        "etcd",
        f"--data-dir={files.run / 'etcd'}",
        "--unsafe-no-fsync",
        "--heartbeat-interval=20",
        "--election-timeout=100",
        f"--listen-client-urls={configs.ETCD}",
        f"--advertise-client-urls={configs.ETCD}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--log-level=warn",
    ]


def containerd(files: Layout) -> list[str]:
    """Run containerd with its configuration file."""
    return ["containerd", "--config", str(files.configs / "containerd.toml"), "--log-level=warn"]


def registry(files: Layout) -> list[str]:
    """Run the registry; it keeps blobs on disk and manifests in memory, and takes images only for its credentials."""
    address = f"{layout.NODE_ADDRESS}:{layout.REGISTRY_PORT}"
    return [
        "registry",
        f"--address={address}",
        f"--disk={files.registry}",
        f"--credentials={files.registry_credentials}",
    ]


def apiserver(files: Layout) -> list[str]:
    """Run kube-apiserver with RBAC, the node authorizer and NodeRestriction."""
    pki = files.pki
    return [
        "kube-apiserver",
        f"--bind-address={layout.NODE_ADDRESS}",
        f"--advertise-address={layout.NODE_ADDRESS}",
        f"--secure-port={layout.API_PORT}",
        f"--etcd-servers={configs.ETCD}",
        f"--service-cluster-ip-range={layout.SERVICE_RANGE}",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        f"--service-account-key-file={pki / 'sa.pub'}",
        f"--service-account-signing-key-file={pki / 'sa.key'}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--kubelet-client-certificate={pki / 'apiserver-kubelet.crt'}",
        f"--kubelet-client-key={pki / 'apiserver-kubelet.key'}",
        f"--kubelet-certificate-authority={pki / 'ca.crt'}",
        "--kubelet-preferred-address-types=InternalIP",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--profiling=false",
        f"--audit-policy-file={files.configs / 'audit.json'}",
        f"--audit-log-path={files.audit_log}",
        f"--audit-log-maxsize={_AUDIT_MEGABYTES}",
        "--audit-log-maxbackup=1",
    ]


def controller_manager(files: Layout) -> list[str]:
    """Run kube-controller-manager; each controller acts under a service account of its own, as RBAC expects."""
    pki = files.pki
    return [
        "kube-controller-manager",
        f"--kubeconfig={configs.inner_kubeconfig(files, 'controller-manager')}",
        *_ALONE,
        "--use-service-account-credentials=true",
        "--allocate-node-cidrs=false",
        f"--service-account-private-key-file={pki / 'sa.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--cluster-signing-cert-file={pki / 'ca.crt'}",
        f"--cluster-signing-key-file={pki / 'ca.key'}",
        f"--flex-volume-plugin-dir={files.run / 'volumeplugins'}",
    ]


def scheduler(files: Layout) -> list[str]:
    """Run kube-scheduler."""
    return ["kube-scheduler", f"--kubeconfig={configs.inner_kubeconfig(files, 'scheduler')}", *_ALONE]


def kubelet(files: Layout) -> list[str]:
    """Run the kubelet, its root at the usual place."""
    return [
        "kubelet",
        f"--config={files.configs / 'kubelet.json'}",
        f"--kubeconfig={configs.inner_kubeconfig(files, 'kubelet')}",
        f"--hostname-override={layout.NODE}",
        f"--node-ip={layout.NODE_ADDRESS}",
    ]


def proxy(files: Layout) -> list[str]:
    """Run kube-proxy."""
    return ["kube-proxy", f"--config={files.configs / 'proxy.json'}"]


def network_policy(files: Layout) -> list[str]:
    """Run the enforcer of NetworkPolicies."""
    return [
        "netpol",
        f"--kubeconfig={configs.inner_kubeconfig(files, 'network-policy')}",
        f"--hostname-override={layout.NODE}",
        f"--service-cluster-ip-range={layout.SERVICE_RANGE}",
    ]
