"""What a release runs from, how much it takes of what it may have, and since when: each known, or unknown for a reason."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from support.core.parallel import in_parallel
from support.core.quantities import parse_quantity
from support.core.wait import kept
from support.deploy import keeping
from support.deploy.ways_in import CONTAINER, POD
from support.kube.containers import is_ready
from support.kube.errors import ApiError
from support.network import http
from support.network.way import ingress
from support.release import lineage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.deploy.namespace import Namespace
    from support.kube.objects import Object, Objects

# Prints a line for each figure that can be read: memory of the container as its control group (version 2, then 1) counts it,
# without the files that the kernel keeps for it and takes back; then size and rest of the file system of the data, in bytes.
_PROGRAM: Final = """
import os, sys
for name, word in (("memory.stat", "anon "), ("memory/memory.stat", "total_rss ")):
    try:
        found = [line for line in open("/sys/fs/cgroup/" + name) if line.startswith(word)]
    except OSError:
        continue
    if found:
        print("memory", found[0].split()[1])
        break
disk = os.statvfs(sys.argv[1])
print("disk", (disk.f_blocks - disk.f_bfree) * disk.f_frsize, disk.f_bavail * disk.f_frsize)
"""
_SHELL: Final = """
grep -hE '^(anon|total_rss) ' /sys/fs/cgroup/memory.stat /sys/fs/cgroup/memory/memory.stat 2>/dev/null | sed 's/^[a-z_]*/memory/'
df -Pk "$0" | tail -n 1 | { read -r device size used free rest; echo "disk $((used * 1024)) $((free * 1024))"; }
"""
# What an image may have: the official one has a shell, those of the embedded cluster Python alone.
_READERS: Final = (("python3.11", "-c", _PROGRAM), ("sh", "-c", _SHELL), ("python3", "-c", _PROGRAM))

# From where a figure is.
_METRICS: Final = "the cluster's metrics"
_CONTAINER: Final = "read in Chroma's container"
_FILE_SYSTEM: Final = "the claim's file system, read in Chroma's container"
_NO_METRICS: Final = "the cluster has no metrics of it"


@dataclass(frozen=True)
class Amount:
    """Bytes that are used, and those that may be (None: without a limit), and `source` says from where that is known.

    Where `used` is None, `unknown` says why.
    """

    used: int | None = None
    limit: int | None = None
    unknown: str = ""
    source: str = ""


@dataclass(frozen=True)
class Moment:
    """A moment in UTC, as ISO 8601 writes it, "" where there is none; where it is not known, `unknown` says why."""

    at: str = ""
    unknown: str = ""


@dataclass(frozen=True)
class Vitals:
    """What a release runs from (image by container), what it takes, and since when.

    `claim` counts the file system on which the data lies. `backup` is when the data was backed up last, and `since` when
    its pod became ready. `look` is what Chroma's last start found on the claim, "" where its release does not look.
    """

    images: Mapping[str, str]
    memory: Amount
    claim: Amount
    certificate: Moment
    backup: Moment
    since: Moment
    look: str = ""


@dataclass(frozen=True)
class _Figures:
    """What was read: bytes of memory; bytes of the disk that are used and free; and why not, where they were not."""

    memory: int | None = None
    disk: tuple[int, int] | None = None
    why: str = ""


def observe(namespace: Namespace, pods: Objects, claims: Objects) -> Vitals:
    """Look at what can be seen of a release by its pod and its claim, which need not be there; raises nothing."""
    pod = next((one for one in pods if one["metadata"]["name"] == POD), None)
    claim = next(iter(claims), None)
    looks: tuple[Callable[[], Any], ...] = (
        partial(_measured, namespace, pod),
        partial(_read, namespace, pod),
        partial(_certificate, namespace),
        partial(keeping.seen, namespace.kube, namespace.name),
    )
    measured, read, certificate, told = in_parallel(looks)
    return Vitals(
        images={one["name"]: one["image"] for one in _running(pod)},
        memory=_memory(measured, read, _limit(pod)),
        claim=Amount(read.disk[0], sum(read.disk), source=_FILE_SYSTEM)
        if read.disk
        else Amount(unknown=read.why),
        certificate=certificate,
        backup=Moment(lineage.of_claim(claim, []).backup) if claim else Moment(unknown="there is no claim"),
        since=_since(pod),
        look=told.found,
    )


def _memory(measured: _Figures, read: _Figures, limit: int | None) -> Amount:
    """Return how much memory Chroma holds: by the cluster's metrics, else as its container counts it."""
    if measured.memory is not None:
        return Amount(measured.memory, limit, source=_METRICS)
    if read.memory is not None:
        return Amount(read.memory, limit, source=f"{_CONTAINER}; {measured.why or _NO_METRICS}")
    return Amount(None, limit, "; ".join(filter(None, (measured.why or _NO_METRICS, read.why))))


def _measured(namespace: Namespace, pod: Object | None) -> _Figures:
    """Ask the cluster's metrics (metrics.k8s.io) for Chroma's memory; few clusters have some, which is no error."""
    if not pod:
        return _Figures()
    try:
        found = namespace.kube.get("PodMetrics", POD, namespace.name) or {}
    except ApiError as error:
        return _Figures(why="" if error.status == 404 else f"the metrics are not to be had: {error.message}")
    try:
        usage = {one["name"]: one["usage"]["memory"] for one in found.get("containers", ())}
        return _Figures(memory=int(parse_quantity(usage[CONTAINER])) if CONTAINER in usage else None)
    except (KeyError, ValueError, TypeError):
        return _Figures(why="the metrics are not understood")


def _read(namespace: Namespace, pod: Object | None) -> _Figures:
    """Read in Chroma's container what only that sees."""
    container = _container(pod)
    mount = next((one["mountPath"] for one in container.get("volumeMounts", ()) if one["name"] == "data"), "")
    if not container:
        return _Figures(why="there is no pod")
    why = ""
    for reader in _READERS:
        try:
            told = namespace.kube.exec(
                namespace.name, POD, CONTAINER, [*reader, mount or "/"], kept().reading
            )
        except (ApiError, TimeoutError) as error:
            why = why or f"nothing can be run in the container: {error}"
            if isinstance(error, TimeoutError) or error.lasting or error.unanswered:
                break
            continue
        figures = _figures(told.stdout.decode("utf-8", "replace"))
        if figures.memory is not None or figures.disk is not None:
            return figures
        why = told.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2] or why
    return _Figures(why=why or "nothing in the container can read it")


def _figures(told: str) -> _Figures:
    lines = {word: numbers for word, *numbers in map(str.split, filter(str.strip, told.splitlines()))}
    memory, disk = lines.get("memory", []), lines.get("disk", [])
    why = [
        f"the container tells no {name}" for name, found in (("memory", memory), ("disk", disk)) if not found
    ]
    return _Figures(
        int(memory[0]) if len(memory) == 1 and memory[0].isdigit() else None,
        (int(disk[0]), int(disk[1])) if len(disk) == 2 and all(map(str.isdigit, disk)) else None,
        "; ".join(why),
    )


def _certificate(namespace: Namespace) -> Moment:
    """Return the end of the certificate that the ingress shows to users."""
    way = ingress(namespace.host, namespace.inventory)
    try:
        return Moment(http.certificate_end(way))
    except http.NoResponse as error:
        return Moment(unknown=str(error))


def _running(pod: Object | None) -> list[Object]:
    """Return the containers that stay: side-cars are among those that come first."""
    spec = (pod or {}).get("spec", {})
    first = [one for one in spec.get("initContainers", ()) if one.get("restartPolicy") == "Always"]
    return [*first, *spec.get("containers", ())]


def _limit(pod: Object | None) -> int | None:
    stated = _container(pod).get("resources", {}).get("limits", {}).get("memory")
    return int(parse_quantity(stated)) if stated else None


def _container(pod: Object | None) -> Object:
    there = (pod or {}).get("spec", {}).get("containers", ())
    return next((one for one in there if one["name"] == CONTAINER), {})


def _since(pod: Object | None) -> Moment:
    conditions = (pod or {}).get("status", {}).get("conditions", ())
    ready: Object = next((one for one in conditions if one["type"] == "Ready"), {})
    if not pod or not is_ready(pod):
        return Moment(unknown="no pod is ready")
    return Moment(str(ready.get("lastTransitionTime", "")))
