"""What one cluster is made of: the order that the provider gives to the supervisor and the node."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from cluster.access import UsedImage


@dataclass(frozen=True)
class Pushed:
    """An image for the cluster's registry: an OCI layout, and the repository and tag it gets."""

    layout: str
    repository: str
    tag: str
    digest: str


@dataclass(frozen=True)
class Spec:
    """One cluster; all paths are absolute and lie outside /run and /var/lib."""

    name: str
    store: str
    """The cache's root; the run directory is below it, on the same file system as the seed."""
    programs: dict[str, str]
    """Path of each program by name: kubernetes, etcd, netpol, registry."""
    seed: str
    """The containerd root that holds the system images already."""
    images: dict[str, str]
    """Reference of each system image by its name: pause, coredns, traefik."""
    pushed: list[Pushed]
    vantage_image: str
    """Reference of the image for pods that look at things from inside the cluster."""
    patience: float
    """How many times the usual time each step of the boot gets; 1 for a machine of two busy cores."""
    began: float
    """When the boot began, on CLOCK_MONOTONIC: all processes count from it."""
    made: list[UsedImage] = field(default_factory=list)
    """All images of the cluster, for the report."""
    gateway_api: str = ""
    """The file with the definitions of the Gateway API; empty: the cluster has an ingress alone."""
    of_run: bool = False
    """Whether a run has booted it for itself, and ends it; false: it stays until `down`."""

    def dump(self) -> str:
        """As JSON, the form in which it goes from process to process."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Spec:
        """Inverse of dump."""
        facts = json.loads(text)
        facts["pushed"] = [Pushed(**one) for one in facts["pushed"]]
        facts["made"] = [
            UsedImage(one["name"], one["digest"], tuple(one["differences"])) for one in facts.get("made", ())
        ]
        return cls(**facts)
