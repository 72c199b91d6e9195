"""Large bodies on their way through the ingress: what passes, and who refuses what does not."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from support.chroma import calls, samples
from support.chroma.outcomes import Outcome, expect
from support.core.component import INGRESS, ROUTE, TLS_SECRET
from support.core.merge_patch import merge
from support.core.parallel import in_parallel
from support.core.promises import PromiseBroken
from support.core.wait import Deadlines, wait_for
from support.kube import probe
from support.kube.labels import ownership
from support.laws.invariants import same_records
from support.network import http
from support.network.way import ingress

if TYPE_CHECKING:
    from support.chroma.client import Collection
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.kube.objects import Object
    from support.network.http import Response
    from support.platform.inventory import Inventory

_MIB: Final = 1 << 20
_BLANKS: Final = b" " * 65536


def add(live: Live, collection: Collection, mebibytes: int) -> Response:
    """Add two records to a collection in one body of so many MiB, through the ingress; raises `NoResponse`.

    All but some hundred bytes of it are blanks between the first id and the second. They have to be carried and read
    like anything else, and cost Chroma none of the memory that so many records would: some thirteen times the body.
    """
    body = _spread(mebibytes * _MIB)
    path = (
        f"/api/v2/tenants/{collection.tenant}/databases/{collection.database}/collections/{collection.id}/add"
    )
    headers = [*live.credential.headers, ("Content-Type", "application/json")]
    return http.ask(live.way, "POST", path, headers, body)


def assert_arrived(collection: Collection, response: Response) -> None:
    """Assert that a body of `add` was accepted and arrived to its end."""
    expect(Outcome.ACCEPTED, response)
    same_records(samples.records(2), calls.contents(collection))


def assert_refused_by_release(response: Response) -> None:
    """Assert that a body was too large for the release itself, which like all it says says so in JSON."""
    expect(Outcome.TOO_LARGE, response)
    if not _is_json(response):
        seen = f"refused by the ingress, and not by the release behind it: {response}"
        raise PromiseBroken("refused by the release", seen, response.symptom)


def assert_refused_by_ingress(response: Response) -> None:
    """Assert that a body was too large for the ingress, and that the release was not asked."""
    expect(Outcome.TOO_LARGE, response)
    if _is_json(response):
        seen = f"refused by the release, to which the ingress should not have passed it: {response}"
        raise PromiseBroken("refused by the ingress", seen, response.symptom)


def _spread(size: int) -> http.Body:
    """Return a body that is `size` bytes long and adds the first two deterministic records."""
    body = {"ids": [], **calls.columns(samples.records(2))}
    first, second = (json.dumps(record.id) for record in samples.records(2))
    head, tail = json.dumps(body).split("[]", 1)
    start, end = f"{head}[{first},".encode(), f"{second}]{tail}".encode()
    blanks = size - len(start) - len(end)
    filling = itertools.repeat(_BLANKS, blanks // len(_BLANKS))
    return http.Body(size, itertools.chain([start], filling, [_BLANKS[: blanks % len(_BLANKS)], end]))


def _is_json(response: Response) -> bool:
    return (response.header("content-type") or "").startswith("application/json")


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

    patient: Response
    impatient: Response


def copy_ingress(live: Live, place: Namespace, deadlines: Deadlines, run_id: str) -> Copies:
    """Put a slow server and two copies of the live release's Ingress into a throw-away place, and wait until they serve."""
    kube = place.kube
    copies = Copies(place, f"patient-{place.host}", f"impatient-{place.host}")
    _start(place, deadlines, run_id)
    for obj in _published(live, copies, run_id):
        kube.apply(obj)
    for host in (copies.patient, copies.impatient):
        _wait_until_served(place, host, deadlines)
    return copies


def _start(place: Namespace, deadlines: Deadlines, run_id: str) -> None:
    """Let the slow server and the Service in front of it run in a place."""
    kube, where = place.kube, place.name
    kube.apply(probe.namespace(where, run_id))
    server = probe.pod(_NAME, where, run_id, place.inventory.vantage_image, ["serve"])
    server["metadata"]["labels"]["app"] = _NAME
    probe.start(kube, server, deadlines)
    kube.apply(_service(where, run_id))


def copy_route(live: Live, place: Namespace, deadlines: Deadlines, run_id: str) -> str:
    """Put a slow server and a copy of the live release's route into a throw-away place, wait until it serves; return its host."""
    kube, where, host = place.kube, place.name, f"patient-{place.host}"
    original = live.kube.get("HTTPRoute", ROUTE, live.namespace)
    assert original, f"HTTPRoute {ROUTE} is not there in {live.namespace}"
    _start(place, deadlines, run_id)
    copy = _moved(original, "patient", where, run_id)
    rules = [{**rule, "backendRefs": [{"name": _NAME, "port": 80}]} for rule in copy["spec"]["rules"]]
    kube.apply({**copy, "spec": {**copy["spec"], "hostnames": [host], "rules": rules}})
    _wait_until_served(place, host, deadlines)
    return host


def ask_at(host: str, inventory: Inventory, seconds: float) -> Response:
    """Ask a copy for an answer that takes so long."""
    return http.ask(ingress(host, inventory), "GET", _slowly(seconds))


def _slowly(seconds: float) -> str:
    return f"/sleep?s={seconds:g}"


def ask(copies: Copies, seconds: float) -> Answers:
    """Ask through both copies for an answer that takes so long."""
    path = _slowly(seconds)
    ways = [ingress(host, copies.place.inventory) for host in (copies.patient, copies.impatient)]
    return Answers(*in_parallel([partial(http.ask, way, "GET", path) for way in ways]))


def assert_given_up(answers: Answers) -> None:
    """Assert that the impatient copy did not wait for the answer: a time-out that is set is heeded."""
    assert answers.impatient.status == 504, f"not given up after {_SHORT} s: {answers.impatient}"


def assert_answered(response: Response) -> None:
    """Assert that the slow server's answer arrived."""
    assert response.status == 200, f"the Gateway does not wait: {response}"


def assert_waited(answers: Answers) -> None:
    """Assert that the copy that waits as long as the release's own Ingress waited for the answer."""
    assert answers.patient.status == 200, f"the ingress of the release does not wait: {answers.patient}"


def _published(live: Live, copies: Copies, run_id: str) -> list[Object]:
    kube, where = live.kube, live.namespace
    original = kube.get("Ingress", INGRESS, where)
    certificate = kube.get("Secret", TLS_SECRET, where)
    assert original, f"Ingress chroma-ingress is not there in {where}"
    assert certificate, f"Secret chroma-tls-secret is not there in {where}"
    impatient = {"metadata": {"annotations": {_TIMEOUT: str(_SHORT)}}}
    return [
        _moved(certificate, TLS_SECRET, copies.place.name, run_id),
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
    seen: list[Response] = []

    def served() -> bool:
        seen[:] = [http.ask(way, "GET", "/")]
        return seen[0].status == 200

    wait_for(served, deadlines.live, lambda: f"{host} is not served: {seen}", (http.NoResponse,))
