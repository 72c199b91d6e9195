"""What others do to what a release stands on, and what the suite's acts make of it."""

from __future__ import annotations

import shlex
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from support.backup.archive import ArchiveError, verified
from support.backup.transfer import CopyError
from support.checks.backup import broken
from support.checks.plan import CHANGES
from support.commands.status import render_text
from support.core.promises import PromiseBroken
from support.core.wait import wait_for
from support.deploy import removal as deploy_removal
from support.deploy.precheck import ObstructedError
from support.deploy.status import observe
from support.deploy.ways_in import POD
from support.diagnosis import ending
from support.kube import probe
from support.kube.objects import key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from support.backup.backup import BackupRunner
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import RollBack, Rollout
    from support.kube.client import Kube
    from support.kube.objects import Object
    from support.release.release import Release

TOOL: Final = "another-tool"
_FINALIZER: Final = "example.com/hold"
_HOLD: Final = {"metadata": {"finalizers": [_FINALIZER]}}
_LET_GO: Final = {"metadata": {"finalizers": None}}
_STATEFULSET: Final = ("StatefulSet", "chroma")

# By how somebody sets the number of pods: after the first they own the field, after the second nobody does.
WAYS_TO_SCALE: Final[Mapping[str, str]] = {
    "by editing the object": "",
    "through its scale subresource": "scale",
}


def scale(kube: Kube, live: Live, replicas: int, way: str, deadlines: Deadlines) -> None:
    """Let somebody, whose `kube` is, give a release so many pods, and wait until it has them."""
    namespace = live.namespace
    change = {"spec": {"replicas": replicas}}
    kube.patch(*_STATEFULSET, namespace, change, manager=TOOL, subresource=WAYS_TO_SCALE[way])

    def reached() -> bool:
        status = (kube.get(*_STATEFULSET, namespace) or {}).get("status", {})
        return bool(
            status.get("replicas", 0) == status.get("readyReplicas", 0) == replicas
            and (replicas or not kube.get("Pod", POD, namespace))
        )

    wait_for(reached, deadlines.live, lambda: f"{namespace} has not {replicas} pods")


@contextmanager
def held_pod(kube: Kube, live: Live, deadlines: Deadlines) -> Iterator[Object]:
    """Let a release's pod be unable to go once it is deleted; afterwards it goes, and another comes."""
    namespace = live.namespace
    pod = kube.patch("Pod", POD, namespace, _HOLD)
    try:
        yield pod
    finally:
        kube.patch("Pod", POD, namespace, _LET_GO)
        wait_for(partial(_stands, kube, namespace), deadlines.live, lambda: f"no other pod in {namespace}")


@contextmanager
def stuck_pod(kube: Kube, live: Live, deadlines: Deadlines) -> Iterator[Object]:
    """Let a release's pod be deleted without being able to go; afterwards it goes, and another comes."""
    with held_pod(kube, live, deadlines) as pod:
        kube.delete("Pod", POD, live.namespace, grace=1)
        yield pod


@contextmanager
def ending_namespace(kube: Kube, namespace: Namespace, run_id: str) -> Iterator[Object]:
    """Let a namespace be deleted that something of somebody else keeps; afterwards it goes."""
    name = namespace.name
    home = kube.create(probe.namespace(name, run_id))
    held = {"name": "held", "namespace": name, "finalizers": [_FINALIZER]}
    kube.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": held})
    kube.delete("Namespace", name)
    try:
        yield home
    finally:
        kube.patch("ConfigMap", "held", name, _LET_GO)


def keep_volume(kube: Kube, live: Live) -> str:
    """Let the platform keep a release's volume whatever becomes of its claim, and return the volume's name."""
    claim = live.kube.get("PersistentVolumeClaim", live.release.claim.name, live.namespace)
    assert claim, f"there is no claim {live.release.claim.name} in {live.namespace}"
    name = str(claim["spec"]["volumeName"])
    kube.patch("PersistentVolume", name, None, {"spec": {"persistentVolumeReclaimPolicy": "Retain"}})
    return name


def delete_claim(kube: Kube, live: Live) -> None:
    """Let somebody delete the claim of a live release; Kubernetes only marks it."""
    name = live.release.claim.name
    kube.delete("PersistentVolumeClaim", name, live.namespace)
    claim = kube.get("PersistentVolumeClaim", name, live.namespace)
    assert claim, f"claim {name} is gone at once: no pod mounts it"
    assert "deletionTimestamp" in claim["metadata"], f"claim {name} is not being deleted: {claim['metadata']}"


@dataclass(frozen=True)
class PrecheckedAct:
    """An act that was tried: what was reported of it ("" when it was done), the objects by uid before and after it, the seconds."""

    message: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    seconds: float


def try_act(
    act: str, backup_runner: BackupRunner, here: Namespace, release: Release, file: Path
) -> PrecheckedAct:
    """Try an act, and return what came of it."""
    before, began = _uids(here), time.monotonic()
    try:
        said = ACTS[act](backup_runner, here, release, file)
    except (ArchiveError, CopyError, ObstructedError) as error:
        said = str(error)
    return PrecheckedAct(said, before, _uids(here), time.monotonic() - began)


def assert_refused(prechecked_act: PrecheckedAct, *phrases: str) -> None:
    """Assert that an act was refused in words that hold these phrases, and that it left no file."""
    missing = [phrase for phrase in phrases if phrase not in prechecked_act.message]
    if missing:
        raise PromiseBroken(f"a refusal that says {missing}", prechecked_act.message or "it was done")


def assert_untouched(prechecked_act: PrecheckedAct) -> None:
    """Assert that no object was made, replaced, deleted or marked for deletion by an act."""
    if prechecked_act.before != prechecked_act.after:
        raise PromiseBroken(prechecked_act.before, prechecked_act.after)


def assert_quick(prechecked_act: PrecheckedAct, deadlines: Deadlines) -> None:
    """Assert that an act has ended long before a release's deadline, as it does where a doubt's time is waited once."""
    if prechecked_act.seconds >= deadlines.live / 2:
        raise PromiseBroken(f"one wait of {deadlines.doubt:g} s", f"{prechecked_act.seconds:.0f} s")


def assert_names_conflict(rollout: Rollout) -> None:
    """Assert that a refusal names the manager of the number of pods, and the command that ends the conflict."""
    said = str(rollout.finding)
    for phrase in (f'"{TOOL}" manages .spec.replicas', "scale statefulset chroma --replicas=1"):
        if phrase not in said:
            raise PromiseBroken(phrase, said)


def assert_left(removal: RollBack, *phrases: str) -> None:
    """Assert that a roll back says in one line what it has left and how that is removed."""
    if not any(all(phrase in line for phrase in phrases) for line in removal.left):
        raise PromiseBroken(f"a line with {phrases}", removal.left or "it names nothing as left")


def run_suggested_command(kube: Kube, here: Namespace, release: Release) -> None:
    """Apply a release that is refused for a conflict, and let its operator, whose `kube` is, do what the command does that this tells."""
    said = str(here.apply(release).finding)
    _, _, command = said.partition("`kubectl ")
    words = shlex.split(command.partition("`")[0])
    if words[:4] != ["-n", here.name, "scale", "statefulset"]:
        raise PromiseBroken("a command that scales", said)
    replicas = int(words[-1].removeprefix("--replicas="))
    kube.patch(*_STATEFULSET, here.name, {"spec": {"replicas": replicas}}, subresource="scale")


def assert_still_off(live: Live, file: Path) -> None:
    """Assert that a backup is whole, and that the release has no pod, as somebody wants it."""
    manifest = verified(file).manifest
    if not manifest.files:
        raise PromiseBroken("a backup of what the claim holds", manifest)
    statefulset = live.kube.get(*_STATEFULSET, live.namespace)
    assert statefulset, f"the StatefulSet is gone from {live.namespace}"
    if statefulset["spec"]["replicas"] != 0:
        raise PromiseBroken("still 0 pods", statefulset["spec"]["replicas"])


def _stands(kube: Kube, namespace: str) -> bool:
    pod = kube.get("Pod", POD, namespace)
    return pod is not None and "deletionTimestamp" not in pod["metadata"]


def _uids(here: Namespace) -> dict[str, str]:
    return {
        # Of a pod that has ended the kubelet moves the time of its deletion.
        " ".join(key(obj)): obj["metadata"]["uid"] + (", being deleted" if ending.is_ending(obj) else "")
        for obj in deploy_removal.owned(here.kube, here.name)
    }


def _back_up(backup_runner: BackupRunner, here: Namespace, release: Release, file: Path) -> str:
    try:
        backup_runner.back_up(here, release, file)
    finally:
        if file.exists():
            raise PromiseBroken("no file", file)
    return ""


def _restore(backup_runner: BackupRunner, here: Namespace, release: Release, file: Path) -> str:
    backup_runner.restore(here, release, broken.backup(file, release.chroma.image))
    return ""


def _apply(
    change: str | None, _backup_runner: BackupRunner, here: Namespace, release: Release, _file: Path
) -> str:
    rollout = here.apply(release, CHANGES[change].patches if change else ())
    return str(rollout.finding or "")


def _plan(
    change: str | None, _backup_runner: BackupRunner, here: Namespace, release: Release, _file: Path
) -> str:
    plan = here.plan(release, CHANGES[change].patches if change else ())
    lines = plan.obstacles()
    if len(lines) != len(set(lines)):
        raise PromiseBroken("each obstacle once", lines)
    return "\n".join(plan.lines()) if lines else ""


def _status(_backup_runner: BackupRunner, here: Namespace, _release: Release, _file: Path) -> str:
    seen = observe(here)
    return "" if seen.live else render_text(seen, "text")


def _roll_back(_backup_runner: BackupRunner, here: Namespace, _release: Release, _file: Path) -> str:
    here.roll_back()
    return ""


ACTS: Final[Mapping[str, Callable[[Any, Any, Any, Any], str]]] = {
    "a backup": _back_up,
    "a restore": _restore,
    "an apply": partial(_apply, None),
    "an apply with more memory": partial(_apply, "more memory"),
    "a plan": partial(_plan, None),
    "a plan with more memory": partial(_plan, "more memory"),
    "a status": _status,
    "a roll back": _roll_back,
}
