"""Says what troubles a user of a release, and what to do, from what they saw and what the cluster shows; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from support.core.component import INGRESS, ROUTE, SERVICE
from support.diagnosis import routes
from support.diagnosis.findings import SERVED, Finding, Trouble
from support.diagnosis.policies import closing, named_port
from support.kube.containers import is_ready, own, state, statuses
from support.kube.exposure import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from support.core.symptoms import Symptom
    from support.diagnosis.policies import Controller
    from support.kube.objects import Object, Objects

# By what Chroma, its clients, Python and ingresses say in words; the first that is found counts. Measured on Chroma 0.5.23
# and 1.5.9. What an answer says by its status is read there (`_by_status`).
_WORDS_OF_CHROMA: Final[Mapping[Trouble, str]] = {
    # The first write that finds no room is answered in the last of these words, those after it in the first.
    # "Unable to open" is what 0.5.23 says of the file that it cannot begin there (measured).
    Trouble.FULL: (
        r"database or disk is full|unable to open database file|No space left on device|Failed to apply logs to the"
    ),
    Trouble.DIMENSION: r"expecting embedding with dimension|does not match collection dimensionality",
    Trouble.COLLECTION: r"Collection \S+ does not exist",
}
_WORDS_OF_CLIENTS: Final[Mapping[Trouble, str]] = {
    Trouble.FULL: r"InsufficientStorage",
    Trouble.TOKEN: r"AuthError|AuthorizationError",
    Trouble.BODY: r"PayloadTooLarge|Request Entity Too Large",
    Trouble.CERTIFICATE: r"CERTIFICATE_VERIFY_FAILED",
    Trouble.NAMELESS: r"Nameless|gaierror",
    Trouble.SILENCE: (
        r"no available server|ConnectionRefusedError|ConnectionResetError|RemoteDisconnected|Server disconnected|TimeoutError|ConnectError"
        r"|ConnectTimeout|ReadTimeout"
    ),
}
# Chroma's words about a request that it has read, and no gateway's (measured on Chroma 1.5.9: 422 and 400).
_JUDGED_BY_CHROMA: Final = re.compile(r'"error":"(ChromaError|InvalidArgumentError)"')
_BY_STATUS: Final[Mapping[int, Trouble]] = {
    401: Trouble.TOKEN,
    403: Trouble.TOKEN,
    413: Trouble.BODY,
    500: Trouble.SILENCE,
    502: Trouble.SILENCE,
    503: Trouble.SILENCE,
    504: Trouble.SILENCE,
    # The gateway, before Chroma breaks (manifests/gateway/haproxy.cfg).
    507: Trouble.FULL,
}


def diagnose(
    seen: Symptom, objects: Sequence[Object] = (), controller: Controller | None = None
) -> Finding | None:
    """Return what troubles a caller who saw this; None where it is no trouble that is known.

    `objects` are those of the release's namespace, events among them, and `controller` is what the ingress comes from:
    where nothing answers, only they know why.
    """
    said = f"{seen.error}: {seen.words}"
    found = (
        (Trouble.INSECURE if seen.let_in and _is_served(seen) else None)
        or _in_words(_WORDS_OF_CHROMA, said)
        or _by_status(seen)
        or _in_words(_WORDS_OF_CLIENTS, said)
    )
    if found is Trouble.SILENCE:
        return next(of_objects(objects, controller), _flapping(objects) or Finding(found, seen.words))
    if found is Trouble.HOST and objects:
        return next(_of_exposure(objects), Finding(found, seen.words))
    return Finding(found, seen.words) if found else None


def _in_words(signs: Mapping[Trouble, str], said: str) -> Trouble | None:
    return next((trouble for trouble, sign in signs.items() if re.search(sign, said)), None)


def _is_served(seen: Symptom) -> bool:
    """Whether an answer came from Chroma: behind the ingress its routes that there are not tell nothing."""
    if seen.speaks_json and _JUDGED_BY_CHROMA.search(seen.words):
        return True
    return 200 <= seen.status < 300 or (seen.way != "ingress" and seen.status in {404, 405})


def _by_status(seen: Symptom) -> Trouble | None:
    # An ingress speaks plain text or HTML, and a release JSON.
    if seen.status == 404 and seen.way == "ingress" and not seen.speaks_json:
        return Trouble.HOST
    return _BY_STATUS.get(seen.status)


def of_objects(objects: Sequence[Object], controller: Controller | None = None) -> Iterator[Finding]:
    """Yield what keeps callers from a release, as far as its objects show it; nothing where there is no release."""
    statefulset = next((obj for obj in objects if obj["kind"] == "StatefulSet"), None)
    if statefulset is None:
        return
    pods = [own(obj, statefulset) for obj in _of(objects, "Pod") if _serves(obj)]
    ready = [pod for pod in pods if is_ready(pod)]
    if not ready:
        yield _of_pods(statefulset, pods, objects)
    elif not any(map(_leads_somewhere, _of(objects, "EndpointSlice"))):
        selectors = [
            obj["spec"].get("selector")
            for obj in _of(objects, "Service")
            if obj["metadata"]["name"] == SERVICE
        ]
        selected = [f"its selector is {selector}" for selector in selectors]
        yield Finding(Trouble.SERVICE, f"Service {SERVICE}: {(selected or ['it is not there'])[0]}")
    else:
        yield from _of_policies(
            _of(objects, "NetworkPolicy"), ready[0], _target(objects, ready[0]), controller
        )
    yield from _of_exposure(objects)


def _of_exposure(objects: Sequence[Object]) -> Iterator[Finding]:
    """Say that nothing exposes the host, or that what does is not taken by its Gateway."""
    exposing = [
        obj for obj in objects if obj["kind"] in KINDS and obj["metadata"]["name"] in {INGRESS, ROUTE}
    ]
    for obj in exposing:
        if obj["kind"] == "HTTPRoute":
            yield from routes.troubles(obj)
    if not exposing:
        redirecting = any(obj["kind"] == "HTTPRoute" for obj in objects)
        missing = f"HTTPRoute {ROUTE}" if redirecting else f"Ingress {INGRESS}"
        yield Finding(
            Trouble.HOST,
            f"{missing} is not there",
            advice="apply the release again" if redirecting else None,
        )


def _of_pods(statefulset: Object, pods: Objects, objects: Sequence[Object]) -> Finding:
    """Say why no pod is ready: there is none, it is not there yet, or it is too busy to answer its probe."""
    for pod in pods:
        if (unanswered := _unanswered_probe(pod, objects)) and _has_been_ready(pod):
            return Finding(Trouble.BUSY, f"pod {pod['metadata']['name']} runs, but {unanswered}")
    wanted = statefulset["spec"].get("replicas", 1)
    states = [f"pod {pod['metadata']['name']}: {state(pod)}" for pod in pods]
    return Finding(Trouble.POD, ", ".join(states) or f"there is none, and the StatefulSet wants {wanted}")


def _flapping(objects: Sequence[Object]) -> Finding | None:
    """Say that a pod which is ready again has been too busy to answer its probe."""
    for pod in _of(objects, "Pod"):
        if _serves(pod) and _has_been_ready(pod) and (unanswered := _unanswered_probe(pod, objects)):
            return Finding(Trouble.BUSY, f"pod {pod['metadata']['name']} is ready again, but {unanswered}")
    return None


# A probe that had no answer in time, or one that the gateway gave in Chroma's place: the server is there, and busy.
_TOO_LATE: Final = re.compile(
    r"Readiness probe failed: .*(deadline exceeded|Client\.Timeout|statuscode: 50[34])"
)


def _unanswered_probe(pod: Object, objects: Sequence[Object]) -> str:
    """Return what the kubelet says of a readiness probe that a running pod did not answer in time, "" when nothing."""
    if not all("running" in status.get("state", {}) for status in statuses(pod)):
        return ""
    said = [
        event["message"]
        for event in _of(objects, "Event")
        if event["involvedObject"].get("uid") == pod["metadata"].get("uid")
        and event["reason"] == "Unhealthy"
        and _TOO_LATE.search(event["message"])
    ]
    return " ".join(said[-1].split()) if said else ""


def _has_been_ready(pod: Object) -> bool:
    """Whether a pod has become ready, or unready, since its containers were started: at first it is neither."""
    started = [
        status["state"]["running"].get("startedAt", "")
        for status in statuses(pod)
        if "running" in status.get("state", {})
    ]
    changed = [
        one.get("lastTransitionTime", "")
        for one in pod.get("status", {}).get("conditions", [])
        if one["type"] == "Ready"
    ]
    return bool(started and changed) and max(changed) > max(started)


def _of_policies(
    policies: Objects, pod: Object, port: int, controller: Controller | None
) -> Iterator[Finding]:
    if names := closing(policies, pod, port, controller):
        where = f"namespace {controller.name}" if controller else "any other namespace"
        peer = f"kubernetes.io/metadata.name: {controller.name}" if controller else "the controller's labels"
        named = f"NetworkPolicy {names[0]}" if len(names) == 1 else f"NetworkPolicies {', '.join(names)}"
        selects = "selects" if len(names) == 1 else "select"
        yield Finding(
            Trouble.POLICY,
            f"{named} {selects} pod {pod['metadata']['name']}, and nobody from {where} is let in on port {port}",
            advice=f"add a NetworkPolicy for the pods with the label app=chroma that lets the ingress controller in: from "
            f"{where} (namespaceSelector: {{{peer}}}), to port {port}",
        )


def _target(objects: Sequence[Object], pod: Object) -> int:
    """Return the port of a pod to which the Service leads."""
    service = next((one for one in _of(objects, "Service") if one["metadata"]["name"] == SERVICE), {})
    for port in service.get("spec", {}).get("ports") or ():
        target = port.get("targetPort", port.get("port"))
        return target if isinstance(target, int) else named_port(pod, target)
    return 0


def _of(objects: Sequence[Object], kind: str) -> Objects:
    return [obj for obj in objects if obj["kind"] == kind]


def _serves(pod: Object) -> bool:
    """Whether a pod is the release's and stays: one that is on its way out is ready for a while, and asked no more."""
    metadata = pod["metadata"]
    return metadata.get("labels", {}).get("app") == "chroma" and "deletionTimestamp" not in metadata


def _leads_somewhere(slice_: Object) -> bool:
    """Whether an EndpointSlice is the Service's and has an endpoint that is ready."""
    if slice_["metadata"].get("labels", {}).get(SERVED) != SERVICE:
        return False
    return any(one.get("conditions", {}).get("ready") for one in slice_.get("endpoints") or ())
