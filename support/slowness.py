"""Answers that take their time, behind copies of a release's ingress."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from support import http, probe
from support.merge import merge
from support.render import ownership
from support.together import together
from support.wait import wait_for
from support.ways import ingress

if TYPE_CHECKING:
    from support.http import Reply
    from support.kube import Object
    from support.namespace import Live, Namespace
    from support.wait import Deadlines

_TIMEOUT: Final = "nginx.ingress.kubernetes.io/proxy-read-timeout"
# Seconds that the impatient copy waits: the least that the annotation can say.
_SHORT: Final = 1
# The probe's server and the Service in front of it.
_NAME: Final = "slow"
_PORT: Final = 8080


@dataclass(frozen=True)
class Copies:
    """Two copies of a live release's Ingress that lead to a server which answers as late as it is asked to.

    The `patient` one is as the original, the `impatient` one waits a second; both are given by their hosts.
    """

    place: Namespace
    patient: str
    impatient: str


@dataclass(frozen=True)
class Answers:
    """What came of the same question through the two copies."""

    patient: Reply
    impatient: Reply


def copy_ingress(live: Live, place: Namespace, deadlines: Deadlines, run_id: str) -> Copies:
    """Put a slow server and two copies of the live release's Ingress into a throw-away place, and wait until they serve."""
    kube, where = place.kube, place.name
    copies = Copies(place, f"patient-{place.host}", f"impatient-{place.host}")
    kube.apply(probe.namespace(where, run_id))
    server = probe.pod(_NAME, where, run_id, place.inventory.vantage_image, ["serve"])
    server["metadata"]["labels"]["app"] = _NAME
    probe.start(kube, server, deadlines)
    for obj in (_service(where, run_id), *_published(live, copies, run_id)):
        kube.apply(obj)
    for host in (copies.patient, copies.impatient):
        _wait_until_served(place, host, deadlines)
    return copies


def ask(copies: Copies, seconds: float) -> Answers:
    """Ask through both copies for an answer that takes so long."""
    path = f"/sleep?s={seconds:g}"
    ways = [ingress(host, copies.place.inventory) for host in (copies.patient, copies.impatient)]
    return Answers(*together([partial(http.ask, way, "GET", path) for way in ways]))


def assert_given_up(answers: Answers) -> None:
    """Assert that the impatient copy did not wait for the answer: a time-out that is set is heeded."""
    assert answers.impatient.status == 504, f"not given up after {_SHORT} s: {answers.impatient}"


def assert_waited(answers: Answers) -> None:
    """Assert that the copy that waits as long as the release's own Ingress waited for the answer."""
    assert answers.patient.status == 200, f"the ingress of the release does not wait: {answers.patient}"


def _published(live: Live, copies: Copies, run_id: str) -> list[Object]:
    kube, where = live.kube, live.namespace
    original = kube.get("Ingress", "chroma-ingress", where)
    certificate = kube.get("Secret", "chroma-tls-secret", where)
    assert original, f"Ingress chroma-ingress is not there in {where}"
    assert certificate, f"Secret chroma-tls-secret is not there in {where}"
    impatient = {"metadata": {"annotations": {_TIMEOUT: str(_SHORT)}}}
    return [
        _moved(certificate, "chroma-tls-secret", copies.place.name, run_id),
        _leading_to(original, copies.patient, "patient", copies.place.name, run_id),
        merge(_leading_to(original, copies.impatient, "impatient", copies.place.name, run_id), impatient),
    ]


def _moved(obj: Object, name: str, where: str, run_id: str) -> Object:
    """Return an object as it would be made anew elsewhere."""
    metadata = {
        "name": name,
        "namespace": where,
        "labels": ownership(run_id),
        "annotations": obj["metadata"].get("annotations", {}),
    }
    rest = {key: value for key, value in obj.items() if key not in {"metadata", "status"}}
    return {**rest, "metadata": metadata}


def _leading_to(ingress: Object, host: str, name: str, where: str, run_id: str) -> Object:
    """Return a copy of an Ingress for another host, which leads to the slow server."""
    (rule,), (tls,) = ingress["spec"]["rules"], ingress["spec"]["tls"]
    backend = {"service": {"name": _NAME, "port": {"number": 80}}}
    paths = [{**path, "backend": backend} for path in rule["http"]["paths"]]
    copy = _moved(ingress, name, where, run_id)
    spec = {
        **copy["spec"],
        "tls": [{**tls, "hosts": [host]}],
        "rules": [{"host": host, "http": {"paths": paths}}],
    }
    return {**copy, "spec": spec}


def _service(where: str, run_id: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": _NAME, "namespace": where, "labels": ownership(run_id)},
        "spec": {"selector": {"app": _NAME}, "ports": [{"port": 80, "targetPort": _PORT}]},
    }


def _wait_until_served(place: Namespace, host: str, deadlines: Deadlines) -> None:
    way = ingress(host, place.inventory)
    seen: list[Reply] = []

    def served() -> bool:
        seen[:] = [http.ask(way, "GET", "/")]
        return seen[0].status == 200

    wait_for(served, deadlines.live, lambda: f"{host} is not served: {seen}", (http.Unanswered,))
