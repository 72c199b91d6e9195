"""As whom each of the node's programs asks the API server."""

from __future__ import annotations

from dataclasses import dataclass

from cluster import layout


@dataclass(frozen=True)
class Identity:
    """Who a client certificate says one is: a user, and the group that gives it rights, if any."""

    user: str
    group: str | None = None


ADMINISTRATOR = "admin"
# By the name of their files. Only the administrator is a system:masters.
IDENTITIES = {
    ADMINISTRATOR: Identity("kubernetes-admin", "system:masters"),
    "controller-manager": Identity("system:kube-controller-manager"),
    "scheduler": Identity("system:kube-scheduler"),
    "proxy": Identity("system:kube-proxy"),
    "kubelet": Identity(f"system:node:{layout.NODE}", "system:nodes"),
    "apiserver-kubelet": Identity("kube-apiserver-kubelet-client"),
    "network-policy": Identity("cluster:network-policy"),
    "provisioner": Identity("cluster:provisioner"),
}
