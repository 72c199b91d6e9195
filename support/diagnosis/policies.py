"""Says whether the NetworkPolicies of a namespace keep the ingress controller from a pod; pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.diagnosis.observation import addresses_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.kube.objects import Object, Objects


@dataclass(frozen=True)
class Controller:
    """The ingress controller: its namespace, and its pods, as far as they were found."""

    namespace: Object
    pods: Objects

    @property
    def name(self) -> str:
        """The name of its namespace."""
        return str(self.namespace["metadata"]["name"])


def closing(policies: Objects, pod: Object, port: int, controller: Controller | None) -> list[str]:
    """Return the names of the policies that select a pod, where none of them lets the controller in on a port.

    Policies add up: one that lets it in is enough. Of a controller that is not known it is only asked whether anybody
    from another namespace is let in.
    """
    selecting = [one for one in policies if _closes(one) and _selects(one["spec"].get("podSelector"), pod)]
    let_in = any(
        _lets_in(rule, policy["metadata"].get("namespace", ""), pod, port, controller)
        for policy in selecting
        for rule in policy["spec"].get("ingress") or ()
    )
    return [] if let_in else [policy["metadata"]["name"] for policy in selecting]


def _closes(policy: Object) -> bool:
    return "Ingress" in (policy["spec"].get("policyTypes") or ["Ingress"])


def _lets_in(rule: Object, home: str, pod: Object, port: int, controller: Controller | None) -> bool:
    ports, peers = rule.get("ports") or (), rule.get("from") or ()
    on_port = not ports or any(_is_port(one, pod, port) for one in ports)
    return on_port and (not peers or any(_is_peer(peer, home, controller) for peer in peers))


def _is_port(one: Object, pod: Object, port: int) -> bool:
    if one.get("protocol", "TCP") != "TCP":
        return False
    asked = one.get("port")
    if asked is None:
        return True
    first = named_port(pod, asked) if isinstance(asked, str) else int(asked)
    return first <= port <= int(one.get("endPort", first))


def named_port(pod: Object, name: str) -> int:
    """Return the number of a port of a pod by its name; 0 where there is none."""
    spec = pod.get("spec", {})
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        for port in container.get("ports") or ():
            if port.get("name") == name:
                return int(port["containerPort"])
    return 0


def _is_peer(peer: Object, home: str, controller: Controller | None) -> bool:
    if "ipBlock" in peer:
        return _is_within(peer["ipBlock"], controller)
    if controller is None:
        return peer.get("namespaceSelector") is not None
    selector = peer.get("namespaceSelector")
    of_namespace = (
        controller.name == home if selector is None else _matches(selector, _labels(controller.namespace))
    )
    wanted = peer.get("podSelector")
    if wanted is None or not controller.pods:
        return of_namespace
    return of_namespace and any(_selects(wanted, pod) for pod in controller.pods)


def _is_within(block: Mapping[str, Any], controller: Controller | None) -> bool:
    """Whether a block of addresses holds one of the controller's; what is not known is not held against it."""
    pods = controller.pods if controller else []
    addresses = [ipaddress.ip_address(one) for pod in pods for one in addresses_of(pod)]
    inside = ipaddress.ip_network(block["cidr"], strict=False)
    without = [ipaddress.ip_network(cidr, strict=False) for cidr in block.get("except") or ()]
    return not addresses or any(
        address in inside and not any(address in one for one in without) for address in addresses
    )


def _selects(selector: Mapping[str, Any] | None, obj: Object) -> bool:
    return _matches(selector or {}, _labels(obj))


def _labels(obj: Object) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}


def _matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether labels are as a selector asks; an empty one takes all."""
    equal = (selector.get("matchLabels") or {}).items() <= labels.items()
    return equal and all(_holds(one, labels) for one in selector.get("matchExpressions") or ())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    there: Sequence[str] = [labels[key]] if key in labels else []
    within = any(value in values for value in there)
    return {
        "In": within,
        "NotIn": not within,
        "Exists": bool(there),
        "DoesNotExist": not there,
    }.get(expression["operator"], False)
