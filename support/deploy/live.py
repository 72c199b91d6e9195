"""A release that is live."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.chroma.reachable import Credential, Tenancy
from support.network.way import ingress

if TYPE_CHECKING:
    from pydantic import SecretStr

    from support.kube.client import Kube
    from support.kube.objects import Object, Objects
    from support.network.way import Way
    from support.platform.inventory import Inventory
    from support.release.place import Place
    from support.release.release import Release


@dataclass(frozen=True)
class Live:
    """A release that is live, where that is, the objects it was rendered to, and the token that lets its bearer in.

    The token is the one it was deployed with, whatever the environment says by now.
    """

    kube: Kube = field(repr=False)
    inventory: Inventory = field(repr=False)
    place: Place
    release: Release
    objects: Objects = field(repr=False)  # some are secret
    token: SecretStr

    @property
    def namespace(self) -> str:
        """The name of its namespace."""
        return self.place.namespace

    @property
    def host(self) -> str:
        """The host name that leads to it."""
        return self.place.host

    @property
    def way(self) -> Way:
        """The way that its users take: through the ingress."""
        return ingress(self.host, self.inventory)

    @property
    def credential(self) -> Credential:
        """What lets its bearer in, in the documented header."""
        return Credential(self.token)

    @property
    def tenancy(self) -> Tenancy:
        """The tenant and the database that the documentation means."""
        return Tenancy()

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do, of what not every release can."""
        return self.release.capabilities

    @property
    def refusal(self) -> int:
        """The HTTP status by which it refuses a stranger."""
        return self.release.refusal

    @property
    def open_paths(self) -> frozenset[str]:
        """The paths that it answers without a token, as far as its version is known."""
        return self.release.open_paths

    @property
    def lasting(self) -> bool:
        """Whether it outlives the scenario: no throw-away namespace does."""
        return self.place.run_id is None

    def statefulset(self) -> Object:
        """Return the StatefulSet that it was rendered to; without one nothing becomes live."""
        return next(obj for obj in self.objects if obj["kind"] == "StatefulSet")
