"""The configuration files of the node's programs, with the reason for each value that surprises."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from cluster import layout
from cluster.build.packages import cni_directory
from cluster.node.identities import ADMINISTRATOR, IDENTITIES

if TYPE_CHECKING:
    from pathlib import Path

    from cluster.layout import Layout

INNER_SERVER = f"https://{layout.NODE_ADDRESS}:{layout.API_PORT}"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"  # where cAdvisor expects it
ETCD = "http://127.0.0.1:2379"  # the loopback of the cluster's own network namespace


def write_before_start(files: Layout, sandbox_image: str) -> None:
    """Write what containerd reads when it starts: its own file, the CNI's, and where its registry is."""
    _write(files.configs / "containerd.toml", _containerd(files, sandbox_image))
    _write(files.configs / "cni" / "10-pods.conflist", json.dumps(_cni(files)))
    endpoint = f"http://{layout.NODE_ADDRESS}:{layout.REGISTRY_PORT}"
    _write(
        files.configs / "certs.d" / layout.REGISTRY / "hosts.toml",
        f'server = "{endpoint}"\n[host."{endpoint}"]\n  capabilities = ["pull", "resolve"]\n',
    )
    _write(files.configs / "kubelet.json", json.dumps(_kubelet(files)))
    _write(files.configs / "proxy.json", json.dumps(_proxy(files)))
    _write(files.configs / "audit.json", json.dumps(_audit()))
    # What pods with the node's own resolver get. Nothing answers there: no name leads out.
    _write(files.configs / "resolv.conf", f"nameserver {layout.NODE_ADDRESS}\n")
    _write(files.configs / "hosts", f"127.0.0.1 localhost\n{layout.NODE_ADDRESS} {layout.NODE}\n")


def write_kubeconfigs(files: Layout, name: str, address: str) -> None:
    """Write a kubeconfig for each program, and the administrator's for use outside, from the PKI's files."""
    for identity in ("controller-manager", "scheduler", "proxy", "kubelet", "network-policy"):
        _write(inner_kubeconfig(files, identity), _kubeconfig(files, identity, layout.NODE, INNER_SERVER))
    outer = f"https://{address}:{layout.API_PORT}"
    files.kubeconfig.touch(mode=0o600)
    files.kubeconfig.write_text(_kubeconfig(files, "admin", name, outer))


def inner_kubeconfig(files: Layout, identity: str) -> Path:
    """Say where the kubeconfig of one of the node's programs lies."""
    return files.configs / f"{identity}.kubeconfig"


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def _kubeconfig(files: Layout, identity: str, name: str, server: str) -> str:
    def data(file: str) -> str:
        return base64.b64encode((files.pki / file).read_bytes()).decode()

    cluster = {"server": server, "certificate-authority-data": data("ca.crt")}
    user = {
        "client-certificate-data": data(f"{identity}.crt"),
        "client-key-data": data(f"{identity}.key"),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(config, indent=1)  # JSON is YAML


def _audit() -> dict[str, Any]:
    """Say what the API server writes down: who asked for what, and how it was answered; no bodies, which hold secrets."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        # A request is written down once it is answered, a watch as it begins as well.
        "omitStages": ["RequestReceived"],
        "omitManagedFields": True,
        "rules": [
            # The node's own programs ask without end, and nobody wonders what.
            {"level": "None", "userGroups": ["system:nodes", "system:serviceaccounts:kube-system"]},
            {"level": "None", "users": ["system:apiserver", *_programs()]},
            {"level": "Metadata"},
        ],
    }


def _programs() -> list[str]:
    return [identity.user for name, identity in IDENTITIES.items() if name != ADMINISTRATOR]


def _cni(files: Layout) -> dict[str, Any]:
    addresses = {
        "type": "host-local",
        "dataDir": str(files.run / "ipam"),
        "ranges": [[{"subnet": layout.NODE_POD_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    # ptp rather than bridge: each packet between pods is routed, so the policies see it.
    link = {"type": "ptp", "ipMasq": False, "mtu": 1500, "ipam": addresses}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [link, ports]}


def _kubelet(files: Layout) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": layout.NODE_ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(files.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(files.pki / "kubelet-server.crt"),
        "tlsPrivateKeyFile": str(files.pki / "kubelet-server.key"),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",  # containerd 1.6 cannot tell it
        "cgroupsPerQOS": True,
        "enforceNodeAllocatable": ["pods"],
        "cgroupRoot": f"/{files.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "seccompDefault": True,
        "makeIPTablesUtilChains": False,
        "oomScoreAdj": 0,  # lowering it takes CAP_SYS_RESOURCE
        "serializeImagePulls": False,
        "imageGCHighThresholdPercent": 100,  # never collect the images of the seed
        # The disk is the machine's: how full it is says nothing about this cluster.
        "evictionHard": {
            "memory.available": "0%",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
        },
        "clusterDNS": [layout.DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": str(files.configs / "resolv.conf"),
        "volumePluginDir": str(files.run / "volumeplugins"),
        "podLogsDir": str(files.run / "podlogs"),
        "shutdownGracePeriod": "0s",
    }


def _proxy(files: Layout) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(inner_kubeconfig(files, "proxy"))},
        "hostnameOverride": layout.NODE,
        "clusterCIDR": layout.POD_RANGE,
        "mode": "nftables",
        # 0s would mean a second, and a Service would work a second late.
        "nftables": {"minSyncPeriod": "10ms", "syncPeriod": "30s"},
        # Zero: write none of the connection tracking's sysctls, some of which are the machine's.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def _containerd(files: Layout, sandbox_image: str) -> str:
    return f"""version = 2
root = "{files.containerd}"
state = "/run/containerd/state"
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.tracing",
  "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
  address = "{CONTAINERD_SOCKET}"
[ttrpc]
  address = "{CONTAINERD_SOCKET}.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "{files.run / "opt"}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{sandbox_image}"
  # Without it every sandbox fails where CAP_SYS_RESOURCE is missing.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni_directory()}"
    conf_dir = "{files.configs / "cni"}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{files.configs / "certs.d"}"
"""
