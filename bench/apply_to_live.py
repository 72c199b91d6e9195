"""Measures apply -> live, the suite against the floor, side by side on an embedded cluster: python -m bench.apply_to_live."""

from __future__ import annotations

import argparse
import itertools
import os
import secrets
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.floor import seconds_to_live
from cluster.provider import provider_for
from support.core.wait import Deadlines
from support.deploy.namespace import Namespace
from support.deploy.site import Site
from support.kube.client import Kube
from support.platform.certificate import platform_certificate
from support.platform.inventory import Inventory
from support.release.catalogue import load
from support.release.place import Place
from support.release.render import render

if TYPE_CHECKING:
    from support.release.release import Release

_RUN = "bench"


class Bench:
    """Places on one cluster, each used once, by the suite or by the floor."""

    def __init__(self, inventory: Inventory, release: Release) -> None:
        self._inventory = inventory
        self._release = release
        self._kube = Kube(inventory.kubeconfig, inventory.context)
        self._names = (f"bench-{number}" for number in itertools.count(1))
        self._tls = platform_certificate(self._kube, inventory)

    def suite(self) -> float:
        """Return the seconds that the suite needs from apply to live."""
        namespace, _ = self._place()
        seconds = namespace.apply(self._release).seconds["live"]
        namespace.roll_back(remove_data=True)
        return seconds

    def floor(self) -> float:
        """Return the seconds that one watching script needs for the same objects."""
        namespace, place = self._place()
        objects = render(self._release, self._inventory, place, self._tls)
        with namespace.health_check() as health_check:
            seconds = seconds_to_live(self._kube, place.namespace, objects, health_check)
        namespace.roll_back(remove_data=True)
        return seconds

    def _place(self) -> tuple[Namespace, Place]:
        name = next(self._names)
        place = Place(name, f"{name}.{self._inventory.domain_name}", _RUN)
        return Namespace(Site(self._kube, self._inventory, place, Deadlines(), lambda _: None)), place


def main() -> None:
    """Boot a cluster, measure in turns, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", default="gateway", metavar="NAME", help="the release (gateway)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (5)")
    asked = parser.parse_args()
    recipes = Path(__file__).parent.parent / "manifests" / "images"
    provider = provider_for("embedded", kubeconfig=None, context=None, recipes=recipes, progress=print)
    access = provider.create()
    try:
        given = {"kubeconfig": access.kubeconfig, "context": access.context, **access.inventory}
        inventory = Inventory.load(None, given, {**os.environ, "ADMIN_PASSWORD": secrets.token_urlsafe(24)})
        bench = Bench(inventory, load(asked.release))
        bench.floor()  # pulls the images
        rounds = [(bench.floor(), bench.suite()) for _ in range(asked.rounds)]
    finally:
        provider.delete()
    for floor, suite in rounds:
        print(f"floor {floor:.2f} s   suite {suite:.2f} s")
    floor, suite = (median(column) for column in zip(*rounds, strict=True))
    print(f"median: floor {floor:.2f} s, suite {suite:.2f} s = {suite / floor:.2f} x")


if __name__ == "__main__":
    main()
