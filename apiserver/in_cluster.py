"""Writes the kubeconfig by which a pod asks its own cluster as its ServiceAccount, from what Kubernetes mounts."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from apiserver.errors import UnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping

IN_CLUSTER: Final = "in-cluster"
"""The word that stands for a kubeconfig, and the name of its context."""
# https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_ADDRESS: Final = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")


def kubeconfig(environ: Mapping[str, str], account: Path = ACCOUNT) -> Path:
    """Write the kubeconfig of the pod in which this process runs, which goes with the process; raises `UnusableError`.

    It names the files of token and authority and holds neither: the kubelet renews the token, which is read at each request.
    """
    host, port = (environ.get(name, "") for name in _ADDRESS)
    if not host or not port:
        raise UnusableError(
            f"this is no pod of a cluster ({' and '.join(_ADDRESS)} are not both set): name a kubeconfig"
        )
    token, authority = account / "token", account / "ca.crt"
    if missing := [str(file) for file in (token, authority) if not file.is_file()]:
        raise UnusableError(
            f"this pod has no {' and no '.join(missing)}: give it a serviceAccountName, and let its token be mounted "
            "(automountServiceAccountToken)"
        )
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": IN_CLUSTER,
                "cluster": {
                    "server": f"https://{f'[{host}]' if ':' in host else host}:{port}",
                    "certificate-authority": str(authority),
                },
            }
        ],
        "users": [{"name": IN_CLUSTER, "user": {"tokenFile": str(token)}}],
        "contexts": [
            {
                "name": IN_CLUSTER,
                "context": {
                    "cluster": IN_CLUSTER,
                    "user": IN_CLUSTER,
                    **({"namespace": home} if (home := namespace(account)) else {}),
                },
            }
        ],
        "current-context": IN_CLUSTER,
    }
    directory = Path(tempfile.mkdtemp(prefix="chroma-conformance-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    file = directory / IN_CLUSTER
    file.write_text(json.dumps(config, indent=1), encoding="utf-8")
    return file


def namespace(account: Path = ACCOUNT) -> str:
    """Return the namespace of the pod in which this process runs, "" where it is in none."""
    try:
        return (account / "namespace").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def home(account: Path = ACCOUNT) -> str:
    """Return the namespace in which a process keeps what is its own: that of its pod, "default" where it is in none."""
    return namespace(account) or "default"
