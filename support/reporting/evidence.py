"""Takes the evidence of a failure before anything is cleaned up: what the cluster shows, redacted, in files and in short."""

from __future__ import annotations

import difflib
import math
import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from support.deploy import last_live
from support.diagnosis.inquiry import KINDS, controller_of, objects_of
from support.diagnosis.troubles import of_objects
from support.kube.containers import injected, own_of, state, statuses
from support.kube.errors import ApiError
from support.kube.secrets import without_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from support.core.redaction import Redactor
    from support.kube.client import Kube
    from support.kube.objects import Object, Objects

# Lines of a log in the bundle, and of logs, events and differences in the report itself.
_LOG_LINES: Final = 500
_SHORT_LINES: Final = 8
_SUMMARY: Final = "failure.txt"


# What was seen of a namespace: the files of the bundle, by name.
View = dict[str, str]


class EvidenceRecorder:
    """Sees a refused release before it gives way, for the case that a scenario fails over it, and follows its acts."""

    def __init__(self) -> None:
        self.views: dict[str, View] = {}
        self._began = time.monotonic()

    def begin_act(self) -> None:
        """Note that a step begins that does something: what is logged from now on is what comes of it."""
        self._began = time.monotonic()

    def look(self, kube: Kube, namespace: str, rendered: Objects | None = None) -> View:
        """Look at a namespace as `look` does, and follow its logs since the last act began."""
        # Logs are asked for by their age, so that the clocks of nodes do not matter.
        return look(kube, namespace, rendered, math.ceil(time.monotonic() - self._began))

    def look_at_pods(self, kube: Kube, namespace: str, pods: Callable[[], Objects]) -> View:
        """Look at some pods of a namespace that holds more than what the run is about, and follow their logs as `look` does."""
        view: View = {}
        try:
            view.update(_of_pods(kube, namespace, pods(), math.ceil(time.monotonic() - self._began)))
        except ApiError as refusal:
            view["incomplete.txt"] = f"the cluster did not tell more: {refusal}\n"
        return view

    def refused(self, kube: Kube, namespace: str, rendered: Objects) -> None:
        """Look at a release that is about to be taken away."""
        self.views[f"{namespace}-refused"] = self.look(kube, namespace, rendered)

    def forget(self) -> None:
        """Leave what was seen: the scenario expected it."""
        self.views.clear()


def bundle_directory(evidence: Path, nodeid: str) -> Path:
    """Return the directory for the evidence of a test: its feature's, and in it its own."""
    file, _, test = nodeid.partition("::")
    feature = file.rpartition("/")[2].removesuffix(".feature")
    name = re.sub(r"[^\w.-]+", "-", test.removeprefix("test_")).strip("-")
    return evidence / feature / name[:120]  # below what every file system takes


def bundle_files(directory: str) -> list[Path]:
    """Return the files of a bundle, the summary first; none where no evidence was taken or could be written."""
    files = [file for file in sorted(Path(directory).rglob("*")) if file.is_file()] if directory else []
    return sorted(files, key=lambda file: file.name != _SUMMARY)


def look(kube: Kube, namespace: str, rendered: Objects | None = None, seconds: int | None = None) -> View:
    """Return what the cluster shows of a namespace, and how it differs from what was rendered.

    Without `rendered` it is the last live release's. `seconds`: what was logged in the last so many is shown by itself.
    What cannot be had is named, never raised: it must not hide
    the failure.
    """
    view: View = {}
    try:
        view.update(_collect(kube, namespace, rendered, seconds))  # what came before a refusal is kept
    except ApiError as refusal:
        view["incomplete.txt"] = f"the cluster did not tell more: {refusal}\n"
    return view


def take(
    directory: Path,
    failure: Sequence[str],
    views: Mapping[str, View],
    redactor: Redactor,
    traceback: str = "",
) -> str:
    """Write the bundle of evidence, a directory for each view, and return it in short, as its failure.txt has it."""
    shutil.rmtree(directory, ignore_errors=True)
    short = list(failure)
    for title, view in views.items():
        (directory / title).mkdir(parents=True)
        for name, text in view.items():
            (directory / title / name).write_text(redactor.text(text), encoding="utf-8")
        short += _in_short(title, view)
    text = redactor.text("\n".join(short))
    directory.mkdir(parents=True, exist_ok=True)
    (directory / _SUMMARY).write_text(f"{text}\n", encoding="utf-8")
    if traceback:
        (directory / "traceback.txt").write_text(redactor.text(traceback), encoding="utf-8")
    return text


def differences(rendered: Object, live: Object | None) -> str:
    """Return how a live object differs from the one that was rendered, in the fields that were rendered."""
    name = f"{rendered['kind']}/{rendered['metadata']['name']}"
    seen = _dump(_fields_of(rendered, live)) if live else ""
    lines = difflib.unified_diff(
        _dump(rendered).splitlines(), seen.splitlines(), f"rendered {name}", f"live {name}", n=1, lineterm=""
    )
    return "\n".join(lines)


def _collect(
    kube: Kube, namespace: str, rendered: Objects | None, seconds: int | None
) -> Iterator[tuple[str, str]]:
    """Yield name and text of each file, the most telling first: the cluster may fall silent on the way."""
    found = kube.list("Pod", namespace)
    makers = _makers(kube, namespace)
    pods = [own_of(pod, makers) for pod in found]
    amiss = [line for pod in found for maker in makers for line in injected(pod, maker)]
    states = [f"{pod['metadata']['name']}: {_condition(pod)}" for pod in pods] + amiss
    yield "pods.txt", "".join(f"{line}\n" for line in states) or "none\n"
    events = sorted(kube.list("Event", namespace), key=_time_of)
    yield "events.txt", "".join(f"{_event(event)}\n" for event in events) or "none\n"
    for pod in pods:
        yield from _logs(kube, pod, seconds)
    live = objects_of(kube, namespace)
    if troubles := "".join(f"{trouble}\n" for trouble in of_objects(live, controller_of(kube, live))):
        yield "troubles.txt", troubles
    yield "live.yaml", yaml.safe_dump_all(map(_without_managers, live), sort_keys=False)
    if rendered is None:
        recalled = last_live.recall(kube, namespace)
        rendered = recalled[1] if recalled else []
    yield from _comparison([without_values(obj) for obj in rendered if obj["kind"] in KINDS], live)


def _of_pods(kube: Kube, namespace: str, pods: Objects, seconds: int) -> Iterator[tuple[str, str]]:
    """Yield what is said of pods, in the order of `_collect`."""
    yield "pods.txt", "".join(f"{pod['metadata']['name']}: {_condition(pod)}\n" for pod in pods) or "none\n"
    for pod in pods:
        yield from _logs(kube, pod, seconds)
    uids = {pod["metadata"]["uid"] for pod in pods}
    events = [one for one in kube.list("Event", namespace) if one["involvedObject"].get("uid") in uids]
    yield "events.txt", "".join(f"{_event(event)}\n" for event in sorted(events, key=_time_of)) or "none\n"


def _makers(kube: Kube, namespace: str) -> Objects:
    """Return what has made the pods; where that is unknown, they are shown with all that others have put into them."""
    try:
        return kube.list("StatefulSet", namespace)
    except ApiError:
        return []


def _comparison(rendered: Objects, live: Objects) -> Iterator[tuple[str, str]]:
    if rendered:
        by_key = {(obj["kind"], obj["metadata"]["name"]): obj for obj in live}
        diffs = [differences(obj, by_key.get((obj["kind"], obj["metadata"]["name"]))) for obj in rendered]
        yield "rendered.yaml", yaml.safe_dump_all(rendered, sort_keys=False)
        yield "differences.txt", "\n".join(filter(None, diffs)) or "none\n"


def _logs(kube: Kube, pod: Object, seconds: int | None) -> Iterator[tuple[str, str]]:
    """Yield a container's recent log, what of it came since the last act began, and the log of the container before it."""
    metadata = pod["metadata"]
    for status in statuses(pod):
        wanted: dict[str, dict[str, Any]] = {"log": {}}
        if seconds is not None:
            wanted["followed.log"] = {"seconds": seconds}
        if status.get("restartCount"):
            wanted["previous.log"] = {"previous": True}
        for which, how in wanted.items():
            try:
                text = kube.logs(
                    metadata["namespace"], metadata["name"], status["name"], tail=_LOG_LINES, **how
                )
            except ApiError as refusal:
                if not refusal.status:  # the API server does not answer at all
                    raise
                text = f"{refusal.message}\n"
            yield f"{metadata['name']}.{status['name']}.{which}", text


def _in_short(title: str, view: View) -> Iterator[str]:
    for name, text in view.items():
        file, lines = f"{title}/{name}", text.splitlines()
        # What came of the act tells more than what was logged before it.
        followed = view.get(name.removesuffix("log") + "followed.log")
        if name.endswith(".yaml") or lines in ([], ["none"]) or followed:
            continue
        # Of a log and of events the end tells, of differences the beginning.
        telling = lines[:_SHORT_LINES] if name == "differences.txt" else lines[-_SHORT_LINES:]
        if shown := [line for line in telling if line.strip()]:
            yield file + (f" ({len(shown)} of {len(lines)} lines)" if len(shown) < len(lines) else "")
            yield from (f"    {line}" for line in shown)


def _condition(pod: Object) -> str:
    """Say in what state a pod is, and how each of its containers fares."""
    words = [f"{pod.get('status', {}).get('phase', '?')}, {state(pod)}"]
    for status in statuses(pod):
        for when in ("state", "lastState"):
            for kind, detail in (status.get(when) or {}).items():
                facts = [f"{key} {detail[key]}" for key in ("reason", "exitCode", "message") if key in detail]
                before = "before: " if when == "lastState" else f"restarts {status['restartCount']}, "
                words.append(f"{status['name']}: {before}{', '.join([kind, *facts])}")
    return "; ".join(words)


def _event(event: Object) -> str:
    about = event["involvedObject"]
    times = f" (x{event['count']})" if event.get("count", 1) > 1 else ""
    return (
        f"{_time_of(event)} {event.get('type')} {about.get('kind')}/{about.get('name')} "
        f"{event.get('reason')}: {event.get('message', '').strip()}{times}"
    )


def _time_of(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])


def _without_managers(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


def _fields_of(rendered: Any, live: Any) -> Any:
    """Return of the live value what stands at the fields of the rendered one: the rest was filled in by Kubernetes."""
    if isinstance(rendered, dict) and isinstance(live, dict):
        return {key: _fields_of(value, live[key]) for key, value in rendered.items() if key in live}
    if isinstance(rendered, list) and isinstance(live, list) and len(rendered) == len(live):
        return [_fields_of(ours, theirs) for ours, theirs in zip(rendered, live, strict=True)]
    return live


def _dump(obj: Object) -> str:
    return yaml.safe_dump(obj, sort_keys=True)
