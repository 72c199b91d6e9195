"""Host names that come late, never (in this process alone), or that lead elsewhere already."""

from __future__ import annotations

import dataclasses
import secrets
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

from support.core.promises import PromiseBroken
from support.core.resolver import map_host
from support.kube import probe
from support.kube.labels import ownership
from support.platform.inventory import ROUTE

if TYPE_CHECKING:
    from types import TracebackType

    from support.core.wait import Deadlines
    from support.deploy.namespace import Namespace
    from support.kube.objects import Object
    from support.platform.inventory import Inventory

# The part of its deadline for which a release waits whose host is known to get no name.
_PART: Final = 0.25


class LateNames:
    """The inventory of a platform whose ingress is reached by a name that is not published yet; a context manager."""

    def __init__(self, inventory: Inventory) -> None:
        self._name = f"not-yet-{secrets.token_hex(4)}.invalid"
        self._address = inventory.ingress_address or socket.gethostbyname(f"chroma.{inventory.domain_name}")
        self._published = ExitStack()
        self.inventory = inventory.model_copy(update={"ingress_address": self._name})
        self.reported: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._published.close()

    def published(self, namespace: Namespace) -> Namespace:
        """Return a namespace whose name is published as soon as a release says that it waits for it."""

        def hear(line: str) -> None:
            self.reported.append(line)
            if self._name in line:
                self._published.enter_context(map_host(self._name, self._address))

        return namespace.as_seen_by(hear)

    def withheld(self, namespace: Namespace, deadlines: Deadlines) -> Namespace:
        """Return a namespace whose name is never published, and whose operator does not wait for that to the last."""
        impatient = dataclasses.replace(deadlines, live=deadlines.live * _PART)
        return namespace.as_seen_by(self.reported.append, impatient)

    def assert_waited(self) -> None:
        """Assert that the progress says what is waited for, and until when."""
        lines = [line for line in self.reported if line.startswith("waiting until ") and self._name in line]
        if not lines:
            raise PromiseBroken(f"a line that says that {self._name} is waited for", self.reported)


def occupy_host(neighbour: Namespace, of: Namespace, run_id: str) -> None:
    """Expose the host of a namespace from another, as its platform exposes hosts."""
    kube = neighbour.kube
    kube.apply(probe.namespace(neighbour.name, run_id))
    metadata = {"name": "occupant", "namespace": neighbour.name, "labels": ownership(run_id)}
    expose = _route if of.inventory.exposure == ROUTE else _ingress
    kube.apply({**expose(of.inventory, of.host), "metadata": metadata})


def _ingress(inventory: Inventory, host: str) -> Object:
    backend = {"service": {"name": "occupant", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "spec": {
            "ingressClassName": inventory.primary_ingress_class,
            "rules": [{"host": host, "http": {"paths": paths}}],
        },
    }


def _route(inventory: Inventory, host: str) -> Object:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "spec": {
            "parentRefs": [{"name": inventory.gateway_name, "namespace": inventory.gateway_namespace}],
            "hostnames": [host],
            "rules": [{"backendRefs": [{"name": "occupant", "port": 80}]}],
        },
    }
