"""The order in which a node's programs start: each as soon as what it needs is there."""

from __future__ import annotations

import http.client
import json
import os
import socket
import struct
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster import layout
from cluster.build.seed import lay_seed
from cluster.node import addons, command_lines, configs, registry
from cluster.node.api import Api
from cluster.node.processes import Services

if TYPE_CHECKING:
    from cluster.layout import Layout
    from cluster.node.milestones import Reporter
    from cluster.spec import Spec

_TIMEOUT = 1.0


def run(files: Layout, spec: Spec, address: str, report: Reporter, sockets: dict[str, int]) -> None:
    """Bring the node up and watch over it for ever; raises ClusterError when a program ends.

    `sockets` are the file descriptors of the listening sockets outside, by port.
    """
    os.chdir("/")
    services = Services(files.logs, os.environ, spec.patience)
    _start_foundation(services, files, spec, address, sockets)
    report.reached("programs started")

    services.finish("pki")
    configs.write_kubeconfigs(files, spec.name, address)
    services.until(lambda: _accepts("127.0.0.1", 2379), "answer of etcd")
    kubernetes = spec.programs["kubernetes"]
    services.start("apiserver", command_lines.apiserver(files), program=kubernetes)
    api = Api(files.pki, "admin")
    services.until(lambda: api.answers("/api/v1/namespaces/kube-system"), "answer of the API server")
    report.reached("API server answers")

    # Before the API server says that it is ready: that takes it another second, and the node as long.
    services.start("kubelet", command_lines.kubelet(files), program=kubernetes)
    services.until(lambda: _accepts(layout.NODE_ADDRESS, layout.REGISTRY_PORT), "answer of the registry")
    registry.push(files.registry_credentials, spec.pushed)
    services.until(lambda: api.answers("/readyz"), "readiness of the API server")
    report.reached("API server ready")

    # Not earlier: without the roles that are made until then, they would be refused and back off.
    services.start("controller-manager", command_lines.controller_manager(files), program=kubernetes)
    services.start("scheduler", command_lines.scheduler(files), program=kubernetes)
    objects = addons.load(files, spec)
    _apply(services, api, [obj for obj in objects if obj["kind"] != "Pod"])
    node = f"/api/v1/nodes/{layout.NODE}"
    services.until(lambda: api.get(node), "Node object")
    report.reached("node registered")
    services.start("proxy", command_lines.proxy(files), program=kubernetes)
    services.start("network-policy", command_lines.network_policy(files), program=spec.programs["netpol"])
    _apply(services, api, [obj for obj in objects if obj["kind"] == "Pod"])
    services.until(
        lambda: api.get("/api/v1/namespaces/default/serviceaccounts/default"), "default service account"
    )
    report.reached("pods may be created")

    # Last of all: the start of an interpreter costs processor time that everything else waits for.
    services.start("provisioner", [sys.executable, "-m", "cluster.node.provisioner", str(files.run)])
    services.until(_dns_answers, "answer of the cluster's DNS")
    report.reached("DNS answers")
    services.until(_ingress_answers, "answer of the ingress controller")
    report.reached("ingress answers")
    if spec.gateway_api:
        services.until(lambda: _gateway_is_programmed(api), "programmed Gateway")
        report.reached("gateway programmed")
    _write_state(files, spec, address, report)
    report.up()
    services.watch()


def _start_foundation(
    services: Services, files: Layout, spec: Spec, address: str, sockets: dict[str, int]
) -> None:
    """Start what needs nothing else; the keys are made meanwhile."""
    services.start("pki", [sys.executable, "-m", "cluster.node.pki", str(files.pki), address])
    services.start("etcd", command_lines.etcd(files), program=spec.programs["etcd"])
    lay_seed(Path(spec.seed), files.containerd)
    services.start("containerd", command_lines.containerd(files))
    registry.fill(files.registry, spec.pushed)
    registry.write_credentials(files.registry_credentials)
    services.start("registry", command_lines.registry(files), program=spec.programs["registry"])
    targets = {sockets[str(port)]: target for port, target in layout.RELAYED.items()}
    services.start(
        "relay", [sys.executable, "-m", "cluster.host.relay", json.dumps(targets)], descriptors=list(targets)
    )


def _apply(services: Services, api: Api, objects: list[dict[str, Any]]) -> None:
    # Repeatedly: the API server may not have noticed yet what an object rests on.
    for obj in objects:
        services.until(partial(api.apply, obj), f"{obj['kind']} {obj['metadata']['name']}")


def _write_state(files: Layout, spec: Spec, address: str, report: Reporter) -> None:
    files.ca_bundle.write_bytes((files.pki / "web-ca.crt").read_bytes())
    state = {
        "name": spec.name,
        "address": address,
        "vantage_image": spec.vantage_image,
        "milestones": [(one.title, one.seconds) for one in report.milestones],
    }
    # Whole or not at all: others look at it at any time.
    draft = files.state.with_suffix(".new")
    draft.write_text(json.dumps(state))
    draft.replace(files.state)


def _accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _TIMEOUT).close()
    except OSError:
        return False
    return True


def _ingress_answers() -> bool:
    """Tell whether the ingress controller says anything through its Service; 404 is what it says before any Ingress."""
    connection = http.client.HTTPConnection(layout.INGRESS_ADDRESS, layout.HTTP_PORT, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == http.client.NOT_FOUND
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _gateway_is_programmed(api: Api) -> bool:
    """Tell whether the controller says that every listener of the Gateway serves."""
    path = (
        f"/apis/gateway.networking.k8s.io/v1/namespaces/{layout.GATEWAY_NAMESPACE}/gateways/{layout.GATEWAY}"
    )
    listeners = (api.get(path) or {}).get("status", {}).get("listeners") or ()
    states = [
        one["status"] for each in listeners for one in each["conditions"] if one["type"] == "Programmed"
    ]
    return bool(states) and set(states) == {"True"}


def _dns_answers() -> bool:
    """Tell whether the cluster's DNS knows the API server's Service."""
    name = "kubernetes.default.svc.cluster.local"
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    # One question, recursion desired, of type A and class IN (RFC 1035, section 4.1).
    question = struct.pack(">6H", 1, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.1)
        try:
            asking.connect((layout.DNS_ADDRESS, 53))
            asking.send(question)
            answer = asking.recv(512)
        except OSError:
            return False
    # No error code in the flags, and at least one record.
    return answer[3] & 0xF == 0 and answer[6:8] > b"\0\0"
