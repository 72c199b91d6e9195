"""What the cluster shows of one rollout: its StatefulSet, pods, claims and events; pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.core.component import LISTENS_ON_IPV6
from support.diagnosis import ending
from support.kube.containers import concerns, injected, own

if TYPE_CHECKING:
    from support.kube.objects import Object, Objects


@dataclass(frozen=True)
class Observation:
    """What the cluster shows of one rollout, as plain objects of the API.

    `claims` are those that the release's pod mounts, `routes` the HTTPRoutes that expose it. Events that were there before this rollout began are left out;
    the pods of the rollout before it may be among `pods`.
    """

    statefulset: Object | None = None
    pods: Objects = field(default_factory=list)
    claims: Objects = field(default_factory=list)
    events: Objects = field(default_factory=list)
    routes: Objects = field(default_factory=list)
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def revision_pods(self) -> Objects:
        """Return the pods of this rollout: of the revision that is being rolled out, and not on their way out.

        They show the containers of the StatefulSet alone: those that others inject may be in any state.

        Without observedGeneration the status still speaks of the rollout before. A pod that is being deleted shows
        signs that look like a crash (ContainerStatusUnknown, exit code 137).
        """
        if not self.statefulset or not self.observed():
            return []
        revision = self.statefulset["status"].get("updateRevision")
        return [own(pod, self.statefulset) for pod in self.pods if _belongs(pod, self.statefulset, revision)]

    def observed(self) -> bool:
        """Whether the status of the StatefulSet speaks of this rollout."""
        if not self.statefulset:
            return False
        observed = self.statefulset.get("status", {}).get("observedGeneration")
        return bool(observed == self.statefulset["metadata"]["generation"])

    def events_of(self, obj: Object) -> Objects:
        """Return the events about this very object, and not about one of its name before it, or a container it hides."""
        uid = obj["metadata"]["uid"]
        return [
            event
            for event in self.events
            if event["involvedObject"].get("uid") == uid and concerns(obj, event)
        ]

    def obstructions(self, pod: Object) -> list[str]:
        """Say which containers that others have put into one of these pods keep it from being ready."""
        uid = pod["metadata"]["uid"]
        whole = next(one for one in self.pods if one["metadata"]["uid"] == uid)
        return injected(whole, self.statefulset)


def _belongs(pod: Object, statefulset: Object, revision: str | None) -> bool:
    labels = pod["metadata"].get("labels", {})
    return owned(pod, statefulset) and labels.get("controller-revision-hash") == revision


def owned(pod: Object, statefulset: Object) -> bool:
    """Whether a pod is a StatefulSet's own, and stays."""
    return made_by(pod, statefulset) and not ending.is_ending(pod)


def made_by(pod: Object, statefulset: Object) -> bool:
    """Whether a pod is a StatefulSet's own."""
    owned_by = [owner["uid"] for owner in pod["metadata"].get("ownerReferences", [])]
    return statefulset["metadata"]["uid"] in owned_by


def unheard(pod: Object) -> str | None:
    """Return what to do about a pod that has addresses of IPv6 alone, at which nothing listens; None about any other."""
    addresses = addresses_of(pod)
    if not addresses or not all(":" in address for address in addresses):
        return None
    told = pod["spec"].get("initContainers") or ()
    if any(one["name"] == LISTENS_ON_IPV6 for container in told for one in container.get("env") or ()):
        return None
    return (
        f"say ipv6_pods: true in the inventory, by which the gateway listens on IPv6: the pod has {', '.join(addresses)} alone. "
        "A release without a gateway needs arguments by which its Chroma does"
    )


def addresses_of(pod: Object) -> list[str]:
    """Return the addresses of a pod, of whichever family; none where it has none yet."""
    status = pod.get("status", {})
    every = [one.get("ip", "") for one in status.get("podIPs") or ()] or [status.get("podIP") or ""]
    return [one for one in every if one]
