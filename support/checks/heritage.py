"""What users keep in a release, in its default database, and what becomes of it when the release changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from support.chroma import calls, samples
from support.core.component import DEFAULT_DATABASE, TENANT, TOKEN_HEADER
from support.core.promises import PromiseBroken
from support.core.wait import wait_for
from support.deploy.objects import is_claim
from support.deploy.ways_in import POD
from support.network import http
from support.network.way import ingress
from support.release.faults import Patch

if TYPE_CHECKING:
    from support.chroma.types import Record
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.plan import Plan
    from support.deploy.results import Rollout
    from support.kube.client import Kube
    from support.network.http import Response
    from support.release.release import Release

_NAME: Final = "field-notes"
_COLLECTIONS: Final = f"/api/v2/tenants/{TENANT}/databases/{DEFAULT_DATABASE}/collections"
# Beyond the sync threshold, where an index lies on disk, and not in the log alone.
_MANY: Final = 1200
_BATCH: Final = 400
_LATER: Final = 10
# What keeps any release from being ready, and has nothing to do with its version.
_MISTYPED_PROBE: Final = Patch.model_validate(
    {
        "kind": "StatefulSet",
        "json": [
            {
                "op": "replace",
                "path": "/spec/template/spec/containers/0/readinessProbe/httpGet/path",
                "value": "/api/v0/heartbeat",
            }
        ],
    }
)


def begin(namespace: Namespace, release: Release) -> Live:
    """Apply the first release of a namespace, which must go live, and let its users make a collection, which is seen."""
    live = take_over(namespace, release)
    _keep(live, _NAME, _MANY)
    return namespace.prove_live()


def take_over(namespace: Namespace, release: Release) -> Live:
    """Apply a release, which must go live with what is there."""
    rollout: Rollout = namespace.apply(release)
    assert rollout.live, str(rollout)
    assert not rollout.finding, str(rollout)
    return rollout.live


def hand_over(namespace: Namespace, release: Release) -> None:
    """Let another release take over, whose users go on with a collection of its own."""
    _keep(take_over(namespace, release), "newer", _LATER)


def delete(live: Live) -> None:
    """Delete the collection as its users do."""
    _insist(live, "DELETE", f"/{_NAME}")


def be_refused(namespace: Namespace, release: Release, live: Live) -> None:
    """Let another release be refused for a mistyped probe, after which the users of the one before it write on."""
    rollout = namespace.apply(release, [_MISTYPED_PROBE])
    if not rollout.finding:
        raise PromiseBroken("a release with a mistyped probe is refused", rollout)
    if not rollout.live:
        raise PromiseBroken("it gives way", rollout)
    _add(live, _listed(live)[_NAME], samples.records(_MANY + _LATER)[_MANY:])


def lose_claim(kube: Kube, namespace: Namespace, live: Live, deadlines: Deadlines) -> None:
    """Let somebody, whose `kube` is, delete the claim of a release, and its pod, with which it goes."""
    claim = next(filter(is_claim, live.objects))["metadata"]["name"]
    kube.delete("PersistentVolumeClaim", claim, namespace.name)
    kube.delete("Pod", POD, namespace.name, grace=1)
    wait_for(
        lambda: not kube.get("PersistentVolumeClaim", claim, namespace.name),
        deadlines.gone,
        lambda: f"claim {claim} in {namespace.name} not gone",
    )


def assert_no_claim(namespace: Namespace) -> None:
    """Assert that no claim was made in the place of one that is gone."""
    there = [obj["metadata"]["name"] for obj in namespace.kube.list("PersistentVolumeClaim", namespace.name)]
    if there:
        raise PromiseBroken("no empty claim in the place of the one that is gone", ", ".join(there))


def assert_answers(namespace: Namespace) -> None:
    """Assert that the collection is listed, counted, and finds its own records, in whatever is live now."""
    live = namespace.prove_live()
    there = _listed(live)
    if _NAME not in there:
        raise PromiseBroken(f"a collection {_NAME}", there or "none")
    count = _insist(live, "GET", f"/{there[_NAME]}/count").json()
    if count not in {_MANY, _MANY + _LATER}:
        raise PromiseBroken(f"{_MANY} records or {_LATER} more", count)
    for record in samples.records(_MANY)[:: _MANY // 10]:
        body: dict[str, Any] = {"query_embeddings": [list(record.vector)], "n_results": 1, "include": []}
        found = _insist(live, "POST", f"/{there[_NAME]}/query", body).json()["ids"]
        if found != [[record.id]]:
            raise PromiseBroken(f"{record.id} is the nearest to itself", found)


def assert_warns_of_no_return(plan: Plan) -> None:
    """Assert that a plan says that a change of the version cannot be undone, and that there is no backup."""
    warnings = "\n".join(plan.warnings)
    for promised in ("cannot be undone", "no backup of it is known"):
        if promised not in warnings:
            raise PromiseBroken(promised, warnings or "nothing")


def assert_names_backup(plan: Plan) -> None:
    """Assert that a plan says when the data was backed up."""
    warnings = "\n".join(plan.warnings)
    if "it was backed up last at 20" not in warnings:
        raise PromiseBroken("when it was backed up", warnings or "nothing")


def _keep(live: Live, name: str, count: int) -> None:
    made = _insist(live, "POST", "", {"name": name}).json()
    _add(live, made["id"], samples.records(count))


def _add(live: Live, collection: str, records: list[Record]) -> None:
    for begin in range(0, len(records), _BATCH):
        batch = records[begin : begin + _BATCH]
        body = {"ids": [one.id for one in batch], **calls.columns(batch)}
        _insist(live, "POST", f"/{collection}/add", body)


def _listed(live: Live) -> dict[str, str]:
    """Return the ids of the collections, by their names."""
    return {one["name"]: one["id"] for one in _insist(live, "GET", "?limit=100").json()}


def _insist(live: Live, method: str, tail: str, body: dict[str, Any] | None = None) -> Response:
    shown = [(TOKEN_HEADER, live.token.get_secret_value())]
    response = http.ask(ingress(live.host, live.inventory), method, f"{_COLLECTIONS}{tail}", shown, body)
    if response.status >= 300:
        raise PromiseBroken("an answer", response)
    return response
