"""Tells how a release is: whether it lives, what it runs on, where it answers, how it is announced, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from support.core.component import DEFAULT_DATABASE, HEARTBEAT, SERVICE, TENANT, TOKEN_HEADER
from support.core.parallel import in_parallel
from support.core.symptoms import Symptom, symptom_of
from support.deploy import keeping, last_live, precheck, token_seen, vitals
from support.deploy.liveness import NeverWill, NotYet
from support.deploy.objects import ANNOUNCEMENT
from support.deploy.results import NotLive
from support.diagnosis.ending import is_ending
from support.diagnosis.inquiry import look_into
from support.kube.containers import is_ready, own_of, state, statuses
from support.kube.errors import ApiError
from support.kube.labels import is_ours
from support.network import http
from support.network.way import ingress
from support.platform import discovery
from support.platform.discovery import NotValidError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.deploy.namespace import Namespace
    from support.deploy.precheck import Situation
    from support.deploy.vitals import Vitals
    from support.kube.objects import Object
    from support.network.http import Response

_OUTDATED: Final = "it refuses the token that it was deployed with, which has been changed since: whether it keeps what is written is not seen"
_DATABASES: Final = f"/api/v2/tenants/{TENANT}/databases"
# Collections asked for at once; Chroma answers with all there are by default.
_PAGE: Final = 100


@dataclass(frozen=True)
class Pod:
    """One pod of a release."""

    name: str
    state: str
    ready: bool
    restarts: int
    node: str


@dataclass(frozen=True)
class StatefulSet:
    """How far the StatefulSet is rolled out; `settled` when what was applied last is what runs."""

    name: str
    wanted: int
    ready: int
    settled: bool


@dataclass(frozen=True)
class ClaimState:
    """A claim that holds data; its volume and what becomes of that without it ("Delete", "Retain"), where we may look."""

    name: str
    phase: str
    size: str
    storage_class: str
    volume: str = ""
    reclaim_policy: str = ""
    being_deleted: bool = False


@dataclass(frozen=True)
class Collection:
    """What a release tells of one of its collections; no count where it cannot tell one."""

    database: str
    name: str
    count: int | None
    metadata: dict[str, Any] | None


@dataclass(frozen=True)
class Announcement:
    """In which form the platform knows a release ("none", "safe", "documented"), and how it judges its health."""

    form: str
    health: str


@dataclass(frozen=True)
class Status:
    """How a release is at one moment.

    `release` is the last one that was live here, None when none was. `why` it is not live, empty when it is, and what to
    do about that (`remedy`), where the trouble is a known one; the heartbeat is in nanoseconds. `unread` says why there
    are no collections, if they could not be read.

    `token` says what the release makes of the token that was given: it is "accepted", "refused", or that is "unknown".
    One that refuses it is `live` nevertheless; `proved` says whether a write was acknowledged, or that was not to be seen.
    """

    namespace: str
    release: str | None
    title: str
    live: bool
    why: str
    remedy: str
    heartbeat: int | None
    statefulset: StatefulSet | None
    pods: tuple[Pod, ...]
    claims: tuple[ClaimState, ...]
    endpoints: dict[str, str]
    announcement: Announcement
    collections: tuple[Collection, ...]
    unread: str
    warnings: tuple[str, ...] = ()
    token: str = token_seen.UNKNOWN
    vitals: Vitals | None = None
    proved: bool = False

    @property
    def exit_code(self) -> int:
        """What a command that shows it ends with: 0 when the release is live and takes the token that was given, else 1."""
        return 0 if self.live and self.token != token_seen.REFUSED else 1


def observe(namespace: Namespace) -> Status:
    """Look how the release in a namespace is; proving that it lives writes to its log.

    Of collections those of every database of the default tenant are listed: other tenants cannot be listed. Nothing
    needs to be deployed. Where the API server does not let us look, that is why it is not known to be live; where it does
    not answer at all, that is raised (`ApiError`).
    """
    try:
        return _observe(namespace)
    except ApiError as error:
        if error.unanswered:
            raise
        return _unseen(namespace, f"the cluster does not tell: {error}")


def _unseen(namespace: Namespace, why: str) -> Status:
    return Status(
        namespace=namespace.name,
        release=None,
        title="",
        live=False,
        why=why,
        remedy="",
        heartbeat=None,
        statefulset=None,
        pods=(),
        claims=(),
        endpoints={},
        announcement=Announcement("unknown", "unknown"),
        collections=(),
        unread=why,
    )


def _observe(namespace: Namespace) -> Status:
    kube, name = namespace.kube, namespace.name
    recalled = last_live.recall(kube, name)
    statefulset = next(filter(is_ours, kube.list("StatefulSet", name)), None)
    seen = precheck.observe(kube, name)
    proved = _why_not_live(namespace, seen)
    known = seen.why_not_live() if proved else None
    why = f"{known.what} is {known.seen}" if known else proved.why if proved else ""
    if why and not known and (building := keeping.seen(kube, name).building):
        why = f"not every collection answers yet: {building}"
    reached = recalled is not None and statefulset is not None
    given = namespace.inventory.admin_password
    token = token_seen.judged(namespace, given) if reached else token_seen.UNKNOWN
    warnings = [line for line in seen.warnings() if line != str(known)]
    if proved and reached and not known and token_seen.lives_behind(namespace):
        # It shuts out the token that is recorded: that somebody has changed it by other means is no fault of the release.
        proved, why = None, ""
        warnings.append(_OUTDATED)
    if token == token_seen.REFUSED:
        warnings.append(f"it refuses the token that you gave: {token_seen.remedy(namespace)}")
    collections, unread = _collections(namespace) if reached else ((), Symptom("nothing answers here"))
    pods = [own_of(pod, [statefulset] if statefulset else []) for pod in kube.list("Pod", name)]
    claims = seen.claims()
    return Status(
        namespace=name,
        release=recalled[0].name if recalled else None,
        title=recalled[0].title if recalled else "",
        live=not why,
        why=why,
        remedy=known.remedy if known else _remedy(namespace, symptom_of(proved) if proved else unread),
        heartbeat=_heartbeat(namespace) if reached else None,
        statefulset=_statefulset(statefulset) if statefulset else None,
        pods=tuple(map(_pod, pods)),
        claims=tuple(_claim(claim, seen) for claim in claims),
        endpoints=_endpoints(namespace) if reached else {},
        announcement=_announcement(namespace),
        collections=collections,
        unread=str(unread or ""),
        warnings=tuple(warnings),
        token=token,
        vitals=vitals.observe(namespace, pods, claims) if reached else None,
        proved=proved is None and _OUTDATED not in warnings,
    )


def _why_not_live(namespace: Namespace, seen: precheck.Situation) -> NotLive | None:
    if not seen.is_deployed:
        return NotLive(f"nothing is deployed in {namespace.name}")
    try:
        namespace.prove_live()
    except NotLive as error:
        return error
    return None


def _remedy(namespace: Namespace, seen: Symptom | None) -> str:
    """Return what to do about what came instead of an answer, "" where the trouble is not known."""
    diagnosis = look_into(namespace.kube, namespace.name, seen) if seen else None
    return f"{diagnosis.kind}: {diagnosis.remedy}" if diagnosis else ""


def _heartbeat(namespace: Namespace) -> int | None:
    try:
        with namespace.health_check() as health_check:
            return health_check.heartbeat()
    except (NotYet, NeverWill):
        return None


def _statefulset(statefulset: Object) -> StatefulSet:
    status = statefulset.get("status", {})
    wanted = statefulset["spec"]["replicas"]
    settled = (
        status.get("observedGeneration") == statefulset["metadata"]["generation"]
        and status.get("currentRevision") == status.get("updateRevision")
        and status.get("readyReplicas", 0) == wanted
    )
    return StatefulSet(statefulset["metadata"]["name"], wanted, status.get("readyReplicas", 0), settled)


def _pod(pod: Object) -> Pod:
    return Pod(
        pod["metadata"]["name"],
        "ending" if "deletionTimestamp" in pod["metadata"] else state(pod),
        is_ready(pod),
        sum(container["restartCount"] for container in statuses(pod)),
        pod.get("spec", {}).get("nodeName", ""),
    )


def _claim(claim: Object, seen: Situation) -> ClaimState:
    spec, status = claim["spec"], claim.get("status", {})
    volume = spec.get("volumeName", "")
    return ClaimState(
        claim["metadata"]["name"],
        status.get("phase", ""),
        (status.get("capacity") or spec["resources"]["requests"])["storage"],
        spec.get("storageClassName") or "",
        volume,
        seen.volumes.get(volume, {}).get("spec", {}).get("persistentVolumeReclaimPolicy", ""),
        is_ending(claim),
    )


def _endpoints(namespace: Namespace) -> dict[str, str]:
    return {
        "users": f"https://{namespace.host}",
        "neighbours": f"http://{namespace.inventory.inside(SERVICE, namespace.name)}",
        "health": f"https://{namespace.host}{HEARTBEAT}",
    }


def _announcement(namespace: Namespace) -> Announcement:
    kind, name = ANNOUNCEMENT
    configmap = namespace.kube.get(kind, name, namespace.name)
    if not configmap:
        return Announcement("none", "unknown")
    try:
        service = discovery.read(configmap).service
    except NotValidError as error:
        return Announcement(f"not valid: {error}", "unknown")
    shown = any(one.name == "CHROMA_AUTH_TOKEN" and one.value for one in service.environment_variables)
    return Announcement("documented" if shown else "safe", _health(namespace))


def _health(namespace: Namespace) -> str:
    try:
        response = http.ask(ingress(namespace.host, namespace.inventory), "GET", HEARTBEAT)
    except http.NoResponse:
        return "ill"
    return "healthy" if discovery.is_healthy(response.status) else "ill"


def _collections(namespace: Namespace) -> tuple[tuple[Collection, ...], Symptom | None]:
    """Return the collections, and why they could not be read if that is so."""
    ask = partial(_ask, namespace)
    try:
        found = [
            (name, one) for name in _databases(ask) for one in _pages(ask, f"{_DATABASES}/{name}/collections")
        ]
        counts = in_parallel([partial(_count, ask, database, one["id"]) for database, one in found])
    except http.NoResponse as error:
        return (), symptom_of(error)
    except (ValueError, KeyError, TypeError) as error:
        return (), Symptom(f"an answer that is not understood: {error}")
    collections = [
        Collection(database, one["name"], count, one.get("metadata"))
        for (database, one), count in zip(found, counts, strict=True)
    ]
    return tuple(sorted(collections, key=lambda one: (one.database, one.name))), None


def _databases(ask: Callable[[str], Response]) -> list[str]:
    """Return the names of the default tenant's databases; a version that does not list them has its default one."""
    response = ask(_DATABASES)
    return [one["name"] for one in response.json()] if response.status == 200 else [DEFAULT_DATABASE]


def _pages(ask: Callable[[str], Response], path: str) -> Iterator[dict[str, Any]]:
    offset = 0
    while True:
        response = ask(f"{path}?limit={_PAGE}&offset={offset}")
        if response.status != 200:
            raise http.NoResponse(str(response), symptom=response.symptom)
        page = response.json()
        yield from page
        offset += len(page)
        if len(page) < _PAGE:
            return


def _count(ask: Callable[[str], Response], database: str, collection: str) -> int | None:
    # A collection that is gone meanwhile, or broken, has none.
    response = ask(f"{_DATABASES}/{database}/collections/{collection}/count")
    return int(response.json()) if response.status == 200 else None


def _ask(namespace: Namespace, path: str) -> Response:
    token = namespace.inventory.admin_password.get_secret_value()
    return http.ask(ingress(namespace.host, namespace.inventory), "GET", path, [(TOKEN_HEADER, token)])
