"""A release that is live."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr

    from support.kube.client import Kube
    from support.kube.objects import Object, Objects
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

    def statefulset(self) -> Object:
        """Return the StatefulSet that it was rendered to; without one nothing becomes live."""
        return next(obj for obj in self.objects if obj["kind"] == "StatefulSet")
